"""What scram-sha-256 keeps of a password: told that, the server has the password in no statement and no log."""

import hashlib
import hmac
from base64 import b64encode

from chalicelib.datastores.postgresql.saslprep import saslprep

ITERATIONS = 4096  # PostgreSQL's own; our passwords have 190 random bits


def scram_verifier(password: str, salt_of: str) -> str:
    """Return the text that `ALTER ROLE … PASSWORD` takes: the same for the same password and `salt_of`."""
    salt = hashlib.sha256(salt_of.encode()).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, ITERATIONS)
    stored_key = hashlib.sha256(_keyed(salted, b"Client Key")).digest()
    server_key = _keyed(salted, b"Server Key")
    return f"SCRAM-SHA-256${ITERATIONS}:{_text(salt)}${_text(stored_key)}:{_text(server_key)}"


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _text(value: bytes) -> str:
    return b64encode(value).decode()
