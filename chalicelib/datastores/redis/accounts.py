"""Redis's users: its access control list, which each instance has for itself."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final, LiteralString

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.listing import PACKED, unpacked
from chalicelib.datastores.naming import (
    OUR_OWN,
    TROVES_OWN,
    check_anywhere,
    check_name,
    check_password,
    refused,
)
from chalicelib.datastores.redis.quoting import command
from chalicelib.errors import NotOffered, Permanent
from chalicelib.ssh.guest import Guest

AWAIT: Final[LiteralString] = "/opt/dtrove/service await </dev/null && "
CHANGE: Final[LiteralString] = f"{AWAIT}/opt/dtrove/ask-redis"
LIST_NAMES: Final[LiteralString] = f"{AWAIT}listed=$(/opt/dtrove/ask-redis --json ACL USERS){PACKED}"
LIST_RULES: Final[LiteralString] = f"{AWAIT}listed=$(/opt/dtrove/ask-redis ACL LIST){PACKED}"

RESERVED_USERS: Final = TROVES_OWN | OUR_OWN | frozenset({"default"})
NAME_CHARACTERS = 128
EVERYTHING: Final = ("~*", "&*", "+@all")
# All data, and nothing that reaches the server's settings, its users, its replication or other clients; of what Redis
# calls dangerous, what harms nobody but the data's owner.
OF_A_USER: Final = (
    *EVERYTHING,
    *("-@admin", "-@dangerous"),
    *("+keys", "+sort", "+sort_ro", "+flushdb", "+flushall", "+swapdb", "+info", "+role", "+lastsave"),
)
# All but the server's settings (the replication password is among them), its users, its replication and its life.
OF_ROOT: Final = (
    *EVERYTHING,
    *("-acl", "-cluster", "-config", "-debug", "-failover", "-migrate", "-module", "-psync", "-replconf"),
    *("-replicaof", "-shutdown", "-slaveof", "-sync"),
)
DONE = re.compile(r"OK|\d+")


class RedisAccounts(Accounts):
    is_replicated = False

    def check_database(self, database: Database) -> None:
        raise _no_databases()

    def check_user(self, user: User) -> None:
        check_name("user name", user.name, RESERVED_USERS)
        if any(each.isspace() for each in user.name):
            raise refused("user name", user.name, "holds a space, which Redis's names cannot")
        if len(user.name) > NAME_CHARACTERS:
            raise refused("user name", user.name, f"is longer than {NAME_CHARACTERS} characters")
        check_anywhere("Redis", user.name, user.host)
        if user.databases:
            raise refused("user name", user.name, "is granted databases, and Redis has none: a user of it has all keys")
        check_password(user.name, user.password)

    def databases(self, guest: Guest) -> list[Database]:
        raise _no_databases()

    def users(self, guest: Guest) -> list[User]:
        names: list[str] = json.loads(unpacked(guest.run(LIST_NAMES)))
        return [User(name) for name in sorted(names) if name not in RESERVED_USERS]

    def is_root_enabled(self, guest: Guest) -> bool:
        return "on" in self._rules(guest).get("default", [])

    def create_databases(self, guest: Guest, databases: Sequence[Database]) -> None:
        raise _no_databases()

    def drop_database(self, guest: Guest, name: str) -> None:
        raise _no_databases()

    def create_users(self, guest: Guest, users: Sequence[User]) -> None:
        self._change(guest, *(_user(each.name, _opened_by(each.told_password), OF_A_USER) for each in users))

    def change_user(self, guest: Guest, user: User, to: User) -> None:
        """Redis cannot rename: the new one gets the old one's rules, its passwords among them."""
        rules = self._rules(guest)
        if user.name not in rules and to.name not in rules:
            raise Permanent(f"There is no user {user.name!r}.")
        changes = []
        if user.name != to.name and user.name in rules:
            changes.append(_user(to.name, rules[user.name]))
        if to.password is not None:
            changes.append(command("ACL", "SETUSER", to.name, "resetpass", *_opened_by(to.told_password)))
        if user.name != to.name:
            changes.append(command("ACL", "DELUSER", user.name))
        self._change(guest, *changes)

    def drop_user(self, guest: Guest, user: User) -> None:
        self._change(guest, command("ACL", "DELUSER", user.name))

    def grant(self, guest: Guest, user: User, databases: Sequence[str]) -> None:
        raise _no_databases()

    def revoke(self, guest: Guest, user: User, database: str) -> None:
        raise _no_databases()

    def enable_root(self, guest: Guest, password: str) -> None:
        self._change(guest, _user("default", _opened_by(password), OF_ROOT))

    def disable_root(self, guest: Guest) -> None:
        off = command("ACL", "SETUSER", "default", "off")
        self._change(guest, off, command("CLIENT", "KILL", "USER", "default"))

    def _rules(self, guest: Guest) -> dict[str, list[str]]:
        """Return each user's rules. A name holds no space and no line's end, so the list can be read in one way."""
        lines = unpacked(guest.run(LIST_RULES)).split("\n")
        words = (line.split(" ") for line in lines if line)
        return {name: rules for _, name, *rules in words}

    def _change(self, guest: Guest, *commands: str) -> None:
        """Do all, and have Redis write its list to its file: it does not do so by itself."""
        said = guest.run(CHANGE, stdin="".join(commands) + command("ACL", "SAVE"))
        if errors := [line for line in said.splitlines() if line and not DONE.fullmatch(line)]:
            raise Permanent(f"Redis: {errors[0]}")


def hash_of(password: str) -> str:
    """Return what Redis keeps of a password."""
    return hashlib.sha256(password.encode()).hexdigest()


def _opened_by(password: str) -> tuple[str, ...]:
    return ("on", f"#{hash_of(password)}")


def _user(name: str, *rules: Sequence[str]) -> str:
    return command("ACL", "SETUSER", name, "reset", *(rule for each in rules for rule in each))


def _no_databases() -> NotOffered:
    return NotOffered("Redis has no databases to create or grant: its users have all keys.")
