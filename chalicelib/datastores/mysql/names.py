"""Which databases and users MySQL can have."""

import re
from ipaddress import IPv4Network
from typing import Final

from chalicelib.datastores.accounts import Database, User
from chalicelib.datastores.mysql.quoting import pattern
from chalicelib.datastores.naming import OUR_OWN, TROVES_OWN, check_name, check_password, refused

SYSTEM_DATABASES: Final = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
SYSTEM_USERS: Final = frozenset({"mariadb.sys", "mysql", "mysql.sys", "mysql.session", "mysql.infoschema"})
KEYWORDS: Final = frozenset({"public", "none", "current_user", "current_role", "session_user"})  # even in quotes
RESERVED_USERS: Final = TROVES_OWN | OUR_OWN | SYSTEM_USERS | KEYWORDS
OLD_NAME: Final = "#mysql50#"  # the server reads what follows as the name of a folder
DATABASE_CHARACTERS = 64
FOLDER_BYTES = 255
CHARACTER_SETS: Final = """
    armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms euckr gb2312 gb18030 gbk
    geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 latin7 macce macroman sjis swe7 tis620 ucs2 ujis
    utf16 utf16le utf32 utf8 utf8mb3 utf8mb4
"""
COLLATION = re.compile(r"[A-Za-z0-9_]{1,64}")
ADDRESS_PATTERN = re.compile(r"[0-9.%_]{1,60}")


def check_database(database: Database) -> None:
    check_database_name(database.name)
    if database.character_set is not None and database.character_set.lower() not in CHARACTER_SETS.split():
        raise refused("character set", database.character_set, "is none of the server's")
    if database.collate is not None and not COLLATION.fullmatch(database.collate):
        raise refused("collation", database.collate, "is none of the server's")


def check_database_name(name: str) -> None:
    check_name("database name", name, SYSTEM_DATABASES)
    _check_plane("database name", name)
    if name.lower().startswith(OLD_NAME):
        raise refused("database name", name, f"begins with {OLD_NAME}")
    if len(name) > DATABASE_CHARACTERS:
        raise refused("database name", name, f"is longer than {DATABASE_CHARACTERS} characters")
    if len(pattern(name)) > DATABASE_CHARACTERS:
        why = (
            f"is longer than {DATABASE_CHARACTERS} characters, its underscores, percents and backslashes counted twice"
        )
        raise refused("database name", name, why)
    if _folder_bytes(name) > FOLDER_BYTES:
        raise refused("database name", name, "is too long: all but A-Z a-z 0-9 _ count fivefold, up to 255")


def check_user(user: User, longest: int) -> None:
    check_name("user name", user.name, RESERVED_USERS)
    _check_plane("user name", user.name)
    if len(user.name) > longest:
        raise refused("user name", user.name, f"is longer than {longest} characters")
    if len(user.name) > 1 and user.name[0] == user.name[-1] == "'":  # sql_acl.cc: parse_client_handshake_packet
        raise refused("user name", user.name, "begins and ends with ': the server takes both off whoever logs in")
    if not is_address_pattern(user.host):
        why = "is no IPv4 address, no pattern of one (10.0.%) and no address/netmask: the server resolves no names"
        raise refused("host", user.host, why)
    for database in user.databases:
        check_database_name(database)
    check_password(user.name, user.password)


def is_address_pattern(host: str) -> bool:
    address, slash, mask = host.partition("/")
    if not slash:
        return ADDRESS_PATTERN.fullmatch(host) is not None
    try:
        return "." in mask and str(IPv4Network(host).network_address) == address
    except ValueError:  # another mask than ones and then zeros, or an address with bits beyond it: it never matched
        return False


def _check_plane(what: str, name: str) -> None:
    if any(ord(each) > 0xFFFF for each in name):
        raise refused(what, name, "holds a character beyond U+FFFF, which MySQL's names cannot")


def _folder_bytes(name: str) -> int:
    """Return how long a database's folder can be called: `@` and four digits for what is no plain letter."""
    return sum(1 if each.isascii() and (each.isalnum() or each == "_") else 5 for each in name)
