"""Wishes: what a customer asks for of databases, users and root, as data that a sealed job carries to a guest."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.ssh.guest import Guest


@dataclass(frozen=True)
class Wish:
    """`do` is one of CALLS, which says what of the rest it needs."""

    do: str
    databases: Sequence[Database] = ()
    users: Sequence[User] = ()
    to: User | None = None  # change_user
    password: str | None = None  # enable_root

    def __repr__(self) -> str:
        return f"Wish({self.do!r})"

    def packed(self) -> dict[str, str]:
        """Return what is sealed."""
        return {"wish": json.dumps(asdict(self))}

    @classmethod
    def unpacked(cls, sealed: Mapping[str, str]) -> "Wish":
        values: dict[str, Any] = json.loads(sealed["wish"])
        return cls(
            do=values["do"],
            databases=[Database(**each) for each in values["databases"]],
            users=[_user(each) for each in values["users"]],
            to=_user(values["to"]) if values["to"] else None,
            password=values["password"],
        )


def _user(values: dict[str, Any]) -> User:
    return User(**{**values, "databases": tuple(values["databases"])})


def carry_out(wish: Wish, accounts: Accounts, guest: Guest) -> None:
    """Do what is wished. May be repeated, as the calls may."""
    CALLS[wish.do](accounts, guest, wish)


def _create(accounts: Accounts, guest: Guest, wish: Wish) -> None:
    """As an instance is born."""
    if wish.databases:
        accounts.create_databases(guest, wish.databases)
    if wish.users:
        accounts.create_users(guest, wish.users)


def _set_passwords(accounts: Accounts, guest: Guest, wish: Wish) -> None:
    for user in wish.users:
        accounts.change_user(guest, user, user)


CALLS: dict[str, Callable[[Accounts, Guest, Wish], None]] = {
    "create": _create,
    "create_databases": _create,
    "create_users": _create,
    "drop_database": lambda accounts, guest, wish: accounts.drop_database(guest, wish.databases[0].name),
    "set_passwords": _set_passwords,
    "change_user": lambda accounts, guest, wish: accounts.change_user(guest, wish.users[0], wish.to or wish.users[0]),
    "drop_user": lambda accounts, guest, wish: accounts.drop_user(guest, wish.users[0]),
    "grant": lambda accounts, guest, wish: accounts.grant(guest, wish.users[0], [each.name for each in wish.databases]),
    "revoke": lambda accounts, guest, wish: accounts.revoke(guest, wish.users[0], wish.databases[0].name),
    "enable_root": lambda accounts, guest, wish: accounts.enable_root(guest, wish.password or ""),
    "disable_root": lambda accounts, guest, wish: accounts.disable_root(guest),
}
