"""The secrets of a new cluster: drawn once, sealed at once."""

import secrets
import string

from chalicelib import config, sealing
from chalicelib.models.key import Key
from chalicelib.models.sealed import Sealed
from chalicelib.ssh.keys import draw_key

ALPHABET = string.ascii_letters + string.digits  # nothing a shell, a URL or a config file could misread
PASSWORD_LENGTH = 32  # about 190 bits


def draw_passwords() -> dict[str, str]:
    """Return a password for the customer's `root` and one for `replication`."""
    return {name: draw(PASSWORD_LENGTH) for name in ("root", "replication")}


def draw(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def sealed(cluster_id: str, values: dict[str, str]) -> Sealed:
    wrapped_key, ciphertext = sealing.seal(cluster_id, values)
    return Sealed(wrapped_key=wrapped_key, ciphertext=ciphertext)


def new_key(cluster_id: str, key_id: str) -> Key:
    """Draw the cluster an SSH key pair. The private part exists in the clear only inside this call."""
    passphrase = draw(config.current().dtrove_key_passphrase_length)
    pair = draw_key(passphrase)
    return Key(
        key_id=key_id,
        cluster_id=cluster_id,
        name=f"dtrove-{cluster_id}",
        public=pair.public,
        private=sealed(cluster_id, {"private": pair.private, "passphrase": passphrase}),
    )
