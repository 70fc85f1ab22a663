"""Accounts: a datastore's databases, users, grants and root, as customers see them. One subclass a datastore."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from chalicelib.errors import Permanent
from chalicelib.ssh.guest import Guest


@dataclass(frozen=True)
class Database:
    name: str
    character_set: str | None = None
    collate: str | None = None


@dataclass(frozen=True)
class User:
    name: str
    host: str = "%"  # where it may come from; "%" is anywhere
    databases: tuple[str, ...] = ()  # names of those it is granted
    password: str | None = field(default=None, repr=False)

    @property
    def told_password(self) -> str:
        """Raises Permanent if there is none: an account without a password would be open to everybody."""
        if not self.password:
            raise Permanent(f"The user {self.name!r} was given no password.")
        return self.password


class Accounts(ABC):
    """Reads and changes the accounts of an instance over its guest, as the server's administrator.

    Changes may be repeated, and cut anywhere: "already there" and "already gone" are success. Names are data: all that
    the rules let pass, and those that a customer made without us, can be listed, changed and dropped. Passwords are
    hashed here; the guest never sees one.

    Methods that take a guest raise Permanent in the server's words, and Transient as the guest does.
    """

    is_replicated: ClassVar[bool] = True  # changed on the primary alone; False: on each instance

    # --- rules. Raise BadRequest, saying which name is wrong and why
    @abstractmethod
    def check_database(self, database: Database) -> None: ...

    @abstractmethod
    def check_user(self, user: User) -> None:
        """Check its databases' names too, and its password if it has one."""

    # --- what there is, by name, without the server's own and ours
    @abstractmethod
    def databases(self, guest: Guest) -> list[Database]: ...

    @abstractmethod
    def users(self, guest: Guest) -> list[User]: ...

    @abstractmethod
    def is_root_enabled(self, guest: Guest) -> bool: ...

    # --- changes
    @abstractmethod
    def create_databases(self, guest: Guest, databases: Sequence[Database]) -> None: ...

    @abstractmethod
    def drop_database(self, guest: Guest, name: str) -> None:
        """Drop it with all that is in it, and what users were granted on it."""

    @abstractmethod
    def create_users(self, guest: Guest, users: Sequence[User]) -> None:
        """Have these users, each with its password and at least these databases."""

    @abstractmethod
    def change_user(self, guest: Guest, user: User, to: User) -> None:
        """Rename it, move it to another host and set its password, unless that is None. What it was granted stays."""

    @abstractmethod
    def drop_user(self, guest: Guest, user: User) -> None:
        """Drop it and end its sessions. What it made stays."""

    @abstractmethod
    def grant(self, guest: Guest, user: User, databases: Sequence[str]) -> None:
        """Let the user do everything in these databases."""

    @abstractmethod
    def revoke(self, guest: Guest, user: User, database: str) -> None: ...

    @abstractmethod
    def enable_root(self, guest: Guest, password: str) -> None:
        """Let the manager's `root_name` in, from anywhere, with this password."""

    @abstractmethod
    def disable_root(self, guest: Guest) -> None:
        """Let it in no longer, and end its sessions."""
