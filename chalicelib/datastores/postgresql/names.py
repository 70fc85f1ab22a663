"""Which databases and users PostgreSQL can have."""

import re
from typing import Final

from chalicelib.datastores.accounts import Database, User
from chalicelib.datastores.naming import OUR_OWN, TROVES_OWN, check_anywhere, check_name, check_password, refused

SYSTEM_DATABASES: Final = frozenset({"postgres", "template0", "template1"})
RESERVED_USERS: Final = TROVES_OWN | OUR_OWN | frozenset({"postgres", "public", "none"})
SYSTEM_PREFIX: Final = "pg_"  # of roles that are the server's own
NAME_BYTES = 63  # it cuts off what is longer, silently
ENCODINGS: Final = frozenset({"utf8", "utf-8", "unicode"})
LOCALE = re.compile(r"[A-Za-z0-9_.@-]{1,63}")


def check_database(database: Database) -> None:
    check_database_name(database.name)
    if database.character_set is not None and database.character_set.lower() not in ENCODINGS:
        why = "is not UTF8: in a database of another, the names of users would be others"
        raise refused("character set", database.character_set, why)
    if database.collate is not None and not LOCALE.fullmatch(database.collate):
        raise refused("collation", database.collate, "is no locale's name")


def check_database_name(name: str) -> None:
    check_name("database name", name, SYSTEM_DATABASES)
    _check_length("database name", name)


def check_user(user: User) -> None:
    check_name("user name", user.name, RESERVED_USERS)
    _check_length("user name", user.name)
    if user.name.startswith(SYSTEM_PREFIX):
        raise refused("user name", user.name, f"begins with {SYSTEM_PREFIX}")
    check_anywhere("PostgreSQL", user.name, user.host)
    for database in user.databases:
        check_database_name(database)
    check_password(user.name, user.password)


def _check_length(what: str, name: str) -> None:
    if len(name.encode()) > NAME_BYTES:
        raise refused(what, name, f"is longer than {NAME_BYTES} bytes of UTF-8")
