"""What caching_sha2_password keeps of a password: SHA-256 crypt (5000 rounds), with a salt of twenty characters."""

import hashlib
import secrets
import string
from typing import Final

ROUNDS: Final = 5000
SALT_CHARACTERS: Final = 20
ALPHABET: Final = "./" + string.digits + string.ascii_uppercase + string.ascii_lowercase
# Which bytes of the digest make four letters; the last group makes three.
GROUPS: Final = ((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14), (15, 25, 5), (6, 16, 26))
GROUPS_AFTER: Final = ((27, 7, 17), (18, 28, 8), (9, 19, 29))


def caching_sha2_hash(password: str) -> str:
    """Return the hash with a salt drawn anew."""
    salt = "".join(secrets.choice(ALPHABET) for _ in range(SALT_CHARACTERS))
    return f"$A$005${salt}{sha256_crypt(password.encode(), salt.encode())}"


def sha256_crypt(key: bytes, salt: bytes) -> str:
    """Return the digest of SHA-256 crypt, as it stands after the last `$`."""
    other = _sha256(key + salt + key)
    mixed = key + salt + _repeated(other, len(key))
    length = len(key)
    while length:
        mixed += other if length & 1 else key
        length >>= 1
    digest = _sha256(mixed)
    key_part = _repeated(_sha256(key * len(key)), len(key))
    salt_part = _repeated(_sha256(salt * (16 + digest[0])), len(salt))
    for number in range(ROUNDS):
        digest = _sha256(_round(number, digest, key_part, salt_part))
    return _letters(digest)


def _round(number: int, digest: bytes, key_part: bytes, salt_part: bytes) -> bytes:
    is_odd = number % 2
    mixed = key_part if is_odd else digest
    mixed += salt_part if number % 3 else b""
    mixed += key_part if number % 7 else b""
    return mixed + (digest if is_odd else key_part)


def _letters(digest: bytes) -> str:
    text = ""
    for first, second, third in GROUPS + GROUPS_AFTER:
        text += _four(digest[first] << 16 | digest[second] << 8 | digest[third])
    return text + _four(digest[31] << 8 | digest[30])[:3]


def _four(number: int) -> str:
    return "".join(ALPHABET[number >> shift & 63] for shift in (0, 6, 12, 18))


def _repeated(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _sha256(message: bytes) -> bytes:
    return hashlib.sha256(message).digest()
