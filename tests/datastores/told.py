"""What an accounts test tells a guest, and reads of what the guest was told."""

import base64
import gzip
import re

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.errors import BadRequest

DIGITS = r"'([0-9a-f]*)'"
PREPARED = re.compile(rf"SET @statement = IF\((.*), _utf8mb4 X{DIGITS}, 'DO 0'\);\nPREPARE .*;\nEXECUTE statement;\n")
MYSQL_TEXT = re.compile(rf"_utf8mb4 X{DIGITS}")
POSTGRES_TEXT = re.compile(rf"convert_from\(decode\({DIGITS}, 'hex'\), 'UTF8'\)")
SCRAM = re.compile(r"SCRAM-SHA-256\$4096:[^']+")


def packed(text: str) -> str:
    """Return what a guest prints of a list."""
    return base64.b64encode(gzip.compress(text.encode())).decode()


def input_of(line: str) -> str:
    """Return the standard input of a line of a FakeGuest's script."""
    return line.partition(" <<< ")[2]


def mysql_statements(line: str) -> list[str]:
    """Return the statements, each with the condition it has: `if <condition>: <statement>`."""
    found = []
    for told, digits in PREPARED.findall(input_of(line)):
        condition = MYSQL_TEXT.sub(lambda found: f"'{bytes.fromhex(found[1]).decode()}'", told)
        found.append(("" if condition == "TRUE" else f"if {condition}: ") + bytes.fromhex(digits).decode())
    return found


def postgres_script(line: str) -> str:
    """Return the script with its texts as they are; verifiers, whose salt is drawn, are `SCRAM`."""
    plain = POSTGRES_TEXT.sub(lambda found: f"'{bytes.fromhex(found[1]).decode()}'", input_of(line))
    return SCRAM.sub("SCRAM", plain)


def redis_commands(line: str) -> list[list[str]]:
    words = (re.findall(r'"((?:\\x[0-9a-f]{2})*)"', each) for each in input_of(line).splitlines())
    return [[bytes.fromhex(each.replace("\\x", "")).decode() for each in line] for line in words]


def refusal_of(accounts: Accounts, what: Database | User) -> str | None:
    """Return the rule that refuses it, or None."""
    try:
        accounts.check_database(what) if isinstance(what, Database) else accounts.check_user(what)
    except BadRequest as error:
        return str(error)
    return None
