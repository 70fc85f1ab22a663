"""Sealed: a secret at rest, openable only through KMS with the right context."""

from pynamodb.attributes import BinaryAttribute, MapAttribute


class Sealed(MapAttribute[str, bytes]):
    """AES-256-GCM under a KMS data key; see chalicelib/sealing.py."""

    wrapped_key = BinaryAttribute(legacy_encoding=False)
    ciphertext = BinaryAttribute(legacy_encoding=False)  # 12 bytes of nonce, then the message and its tag
