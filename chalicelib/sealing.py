"""Secrets at rest: envelope encryption, a KMS data key each, bound to the cluster they belong to.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the cluster's id is both KMS's encryption context and the
additional authenticated data, so a sealed secret moved to another cluster's record does not open.
"""

import json
import os
from typing import TYPE_CHECKING

from chalicelib import aws

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from chalicelib.models.sealed import Sealed

NONCE_BYTES = 12


def seal(cluster_id: str, secrets: dict[str, str]) -> tuple[bytes, bytes]:
    """Return (wrapped_key, ciphertext): what a Sealed holds."""
    key, wrapped_key = aws.wrap_key(cluster_id=cluster_id)
    return wrapped_key, encrypt(key, json.dumps(secrets).encode(), cluster_id)


def unseal(cluster_id: str, sealed: "Sealed") -> dict[str, str]:
    """Return what was sealed. Raises whatever KMS does if the context is wrong, InvalidTag if the text was changed."""
    key = aws.unwrap_key(sealed.wrapped_key, cluster_id=cluster_id)
    secrets: dict[str, str] = json.loads(decrypt(key, sealed.ciphertext, cluster_id))
    return secrets


def encrypt(key: bytes, message: bytes, whose: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _aes_gcm(key).encrypt(nonce, message, whose.encode())


def decrypt(key: bytes, ciphertext: bytes, whose: str) -> bytes:
    """Raises InvalidTag if the text was changed, or is another's."""
    return _aes_gcm(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], whose.encode())


def _aes_gcm(key: bytes) -> "AESGCM":
    # Not at the top: most of the API's requests seal nothing, and would start a tenth later.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)
