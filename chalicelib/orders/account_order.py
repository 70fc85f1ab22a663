"""Databases and users as bodies and paths give them, checked by the datastore's own rules."""

from collections.abc import Sequence

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.errors import BadRequest, NotFound
from chalicelib.orders.fields import Fields

ANYWHERE = "%"
MOST_AT_ONCE = 100


# --- bodies
def read_databases(fields: Fields, key: str = "databases") -> list[Database]:
    return [read_database(each) for each in _several(fields, key)]


def read_database(fields: Fields) -> Database:
    return Database(fields.data("name"), _given(fields, "character_set"), _given(fields, "collate"))


def read_users(fields: Fields, key: str = "users") -> list[User]:
    """Read new users, or users with new passwords."""
    return [read_user(each) for each in _several(fields, key)]


def read_user(fields: Fields) -> User:
    databases = tuple(each.name for each in read_databases(fields)) if has_any(fields, "databases") else ()
    return User(fields.data("name"), _given(fields, "host") or ANYWHERE, databases, fields.data("password"))


def read_change(fields: Fields, user: User) -> User:
    """Read what a user shall become. Raises BadRequest if nothing is asked for."""
    if not any(key in fields for key in ("name", "host", "password")):
        raise fields.wrong("name", "is not given, and neither is host nor password")
    password = fields.data("password") if "password" in fields else None
    return User(_given(fields, "name") or user.name, _given(fields, "host") or user.host, password=password)


def user_named(text: str) -> User:
    """Return the user that a path names: `name` or `name@host`, parted at the last @."""
    name, at, host = text.rpartition("@")
    return User(name, host) if at and name else User(text)


def _several(fields: Fields, key: str) -> list[Fields]:
    several = fields.objects(key)
    if len(several) > MOST_AT_ONCE:
        raise fields.wrong(key, f"holds at most {MOST_AT_ONCE} objects")
    return several


def has_any(fields: Fields, key: str) -> bool:
    """Whether there are any: clients send an empty list unasked."""
    return key in fields and fields.value(key) != []


def _given(fields: Fields, key: str) -> str | None:
    return fields.data(key) if key in fields else None


# --- rules
def check_new(accounts: Accounts, databases: Sequence[Database], users: Sequence[User]) -> None:
    """Raise BadRequest for what a datastore's own rules forbid, and for a name given twice."""
    for database in databases:
        accounts.check_database(database)
    for user in users:
        accounts.check_user(user)
    names = [each.name for each in databases]
    logins = [(each.name, each.host) for each in users]
    if len(set(names)) < len(names) or len(set(logins)) < len(logins):
        raise BadRequest("Validation error: a name is given twice")


def check_born(accounts: Accounts, databases: Sequence[Database], users: Sequence[User]) -> None:
    """Check what an instance shall be born with: users may be granted only databases that are made with them."""
    check_new(accounts, databases, users)
    names = {each.name for each in databases}
    for user in users:
        if lost := set(user.databases) - names:
            raise BadRequest(
                f"Validation error: database {sorted(lost)[0]!r} of user {user.name!r} is not in databases"
            )


def missing(kind: str, name: str) -> NotFound:
    return NotFound(f"{kind} {name} cannot be found on the instance.")


def refuse_missing(kind: str, name: str, there: Sequence[str]) -> None:
    if name not in there:
        raise missing(kind, name)


def present(kind: str, name: str) -> BadRequest:
    return BadRequest(f"{kind} with the name {name} already exists.")
