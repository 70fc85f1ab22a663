"""Statements that change accounts, on either distribution."""

from chalicelib.datastores.accounts import Database, User
from chalicelib.datastores.mysql.quoting import exists, identifier, pattern, prepared


def account(user: User) -> str:
    return f"{identifier(user.name)}@{identifier(user.host)}"


def created(database: Database) -> str:
    character_set = f" CHARACTER SET {identifier(database.character_set)}" if database.character_set else ""
    collate = f" COLLATE {identifier(database.collate)}" if database.collate else ""
    return f"CREATE DATABASE IF NOT EXISTS {identifier(database.name)}{character_set}{collate}"


def granted(user: User, database: str) -> str:
    return f"GRANT ALL PRIVILEGES ON {identifier(pattern(database))}.* TO {account(user)}"


def revoked(user: User, database: str) -> list[str]:
    """Return what takes back all that the user has there; nothing to take back is an error of the server's."""
    is_held = exists("mysql.db", User=user.name, Host=user.host, Db=pattern(database))
    return [
        prepared(f"REVOKE {what} ON {identifier(pattern(database))}.* FROM {account(user)}", is_held)
        for what in ("GRANT OPTION", "ALL PRIVILEGES")
    ]


def ended(session: int) -> str:
    return prepared(f"KILL {session}", exists("information_schema.PROCESSLIST", ID=str(session)))
