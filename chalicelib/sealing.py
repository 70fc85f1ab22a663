"""Secrets at rest: envelope encryption, a KMS data key each, bound to the cluster they belong to.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the cluster's id is both KMS's encryption context and the
additional authenticated data, so a sealed secret moved to another cluster's record does not open.
"""

import json
import os
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib import aws

if TYPE_CHECKING:
    from chalicelib.models.sealed import Sealed

NONCE_BYTES = 12


def seal(cluster_id: str, secrets: dict[str, str]) -> tuple[bytes, bytes]:
    """Return (wrapped_key, ciphertext): what a Sealed holds."""
    key, wrapped_key = aws.wrap_key(cluster_id)
    nonce = os.urandom(NONCE_BYTES)
    return wrapped_key, nonce + AESGCM(key).encrypt(nonce, json.dumps(secrets).encode(), cluster_id.encode())


def unseal(cluster_id: str, sealed: "Sealed") -> dict[str, str]:
    """Return what was sealed. Raises whatever KMS does if the context is wrong, InvalidTag if the text was changed."""
    key = aws.unwrap_key(cluster_id, sealed.wrapped_key)
    nonce, message = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
    secrets: dict[str, str] = json.loads(AESGCM(key).decrypt(nonce, message, cluster_id.encode()))
    return secrets
