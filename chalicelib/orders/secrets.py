"""The secrets of a new cluster: drawn once, sealed at once."""

import hmac
import secrets
import string
from collections.abc import Callable
from itertools import count, islice

from chalicelib import config, sealing
from chalicelib.models.key import Key
from chalicelib.models.sealed import Sealed
from chalicelib.ssh.keys import draw_key

ALPHABET = string.ascii_letters + string.digits  # nothing a shell, a URL or a config file could misread
PASSWORD_LENGTH = 32  # about 190 bits
FAIR_BYTES = 256 - 256 % len(ALPHABET)


Draw = Callable[[str], str]  # what it is for → a password


def draw(_: str = "") -> str:
    return drawn(PASSWORD_LENGTH)


def drawn(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def draw_from(seed: bytes) -> Draw:
    """Return what draws the same passwords from the same seed of 32 random bytes.

    HMAC-SHA256 in counter mode (NIST SP 800-108); of its bytes those that would favour some letters are left out.
    """

    def draw_again(what: str) -> str:
        blocks = (hmac.digest(seed, f"{what} {number}".encode(), "sha256") for number in count())
        fair = (each for block in blocks for each in block if each < FAIR_BYTES)
        return "".join(ALPHABET[each % len(ALPHABET)] for each in islice(fair, PASSWORD_LENGTH))

    return draw_again


def draw_passwords(draw: Draw) -> dict[str, str]:
    """Return a password for the customer's `root` and one for `replication`."""
    return {name: draw(name) for name in ("root", "replication")}


def sealed(cluster_id: str, values: dict[str, str]) -> Sealed:
    wrapped_key, ciphertext = sealing.seal(cluster_id, values)
    return Sealed(wrapped_key=wrapped_key, ciphertext=ciphertext)


def draw_identity() -> tuple[str, str]:
    """Return (recipient, identity): the public and the secret half of a key pair of age's."""
    from pyrage import x25519  # noqa: PLC0415 - few requests order a backup

    identity = x25519.Identity.generate()
    return str(identity.to_public()), str(identity)


def new_key(cluster_id: str, key_id: str) -> Key:
    """Draw the cluster an SSH key pair. The private part exists in the clear only inside this call."""
    passphrase = drawn(config.current().dtrove_key_passphrase_length)
    pair = draw_key(passphrase)
    return Key(
        key_id=key_id,
        cluster_id=cluster_id,
        name=f"dtrove-{cluster_id}",
        public=pair.public,
        private=sealed(cluster_id, {"private": pair.private, "passphrase": passphrase}),
    )
