"""What mysql_native_password keeps of a password: told that, the server has the password in no statement and no log."""

import hashlib


def native_password_hash(password: str) -> str:
    return "*" + _sha1(_sha1(password.encode())).hex().upper()


def _sha1(message: bytes) -> bytes:
    return hashlib.sha1(message, usedforsecurity=False).digest()  # the method's own definition; passwords are random
