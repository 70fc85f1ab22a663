"""SSH key pairs: ed25519 in OpenSSH's own format, for clusters and for the host keys of guests."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption


@dataclass(frozen=True)
class KeyPair:
    private: str = field(repr=False)  # OpenSSH PEM, encrypted if a passphrase was given
    public: str  # OpenSSH line without a comment


def draw_key(passphrase: str = "") -> KeyPair:
    # The API imports this and seldom draws a key: loading cryptography is a tenth of its start.
    from cryptography.hazmat.primitives import serialization as how  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    protection: KeySerializationEncryption = (
        how.BestAvailableEncryption(passphrase.encode()) if passphrase else how.NoEncryption()
    )
    return KeyPair(
        private=key.private_bytes(how.Encoding.PEM, how.PrivateFormat.OpenSSH, protection).decode(),
        public=key.public_key().public_bytes(how.Encoding.OpenSSH, how.PublicFormat.OpenSSH).decode(),
    )
