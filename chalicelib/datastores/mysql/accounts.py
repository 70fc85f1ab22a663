"""MySQL's databases, users and root, over its own client."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.listing import PACKED, unpacked
from chalicelib.datastores.mysql import names
from chalicelib.datastores.mysql.distribution import Distribution
from chalicelib.datastores.mysql.quoting import UNLOGGED, database_of, exists, identifier, literal, pattern, prepared
from chalicelib.datastores.mysql.statements import account, created, ended, granted, revoked
from chalicelib.ssh.guest import Guest

AWAIT: Final[LiteralString] = "/opt/dtrove/service await </dev/null && "
CLIENT: Final[LiteralString] = "{client} --batch --raw --skip-column-names --default-character-set=utf8mb4"
CHANGE: Final[LiteralString] = f"{AWAIT}{CLIENT}"
LIST: Final[LiteralString] = f"{AWAIT}listed=$({CLIENT}){PACKED}"

ROOT: Final = User("root")


@dataclass(frozen=True)
class Listed:
    """All accounts, the server's own and ours too."""

    users: list[tuple[str, str]]  # name, host
    grants: list[tuple[str, str, str]]  # name, host, pattern of databases
    is_root_enabled: bool


class MySQLAccounts(Accounts):
    def __init__(self, distribution: Distribution, render: Callable[[str], str]) -> None:
        self._distribution = distribution
        self._render = render

    def check_database(self, database: Database) -> None:
        names.check_database(database)

    def check_user(self, user: User) -> None:
        names.check_user(user, self._distribution.user_characters)

    def databases(self, guest: Guest) -> list[Database]:
        listed = json.loads(self._listed(guest, "databases.sql"))
        found = (Database(name, character_set, collate) for name, character_set, collate in listed)
        return sorted((each for each in found if each.name not in names.SYSTEM_DATABASES), key=lambda each: each.name)

    def users(self, guest: Guest) -> list[User]:
        listed = self._accounts(guest)
        found: dict[tuple[str, str], list[str]] = {
            each: [] for each in sorted(listed.users) if each[0] not in names.RESERVED_USERS
        }
        for name, host, granted_on in listed.grants:
            database = database_of(granted_on)
            if database is not None and (name, host) in found:
                found[name, host].append(database)
        return [User(name, host, tuple(sorted(databases))) for (name, host), databases in found.items()]

    def is_root_enabled(self, guest: Guest) -> bool:
        return self._accounts(guest).is_root_enabled

    def create_databases(self, guest: Guest, databases: Sequence[Database]) -> None:
        self._change(guest, *(prepared(created(each)) for each in databases))

    def drop_database(self, guest: Guest, name: str) -> None:
        """Take back the grants too: a database of the same name is another one."""
        grants = self._accounts(guest).grants
        holders = [User(user, host) for user, host, granted_on in grants if granted_on == pattern(name)]
        taken_back = [each for holder in holders for each in revoked(holder, name)]
        self._change(guest, prepared(f"DROP DATABASE IF EXISTS {identifier(name)}"), *taken_back)

    def create_users(self, guest: Guest, users: Sequence[User]) -> None:
        statements: list[str] = []
        for user in users:
            identified = self._distribution.identified(user.told_password)
            statements.append(prepared(f"CREATE USER IF NOT EXISTS {account(user)} {identified}"))
            statements.append(prepared(f"ALTER USER {account(user)} {identified}"))
            statements += [prepared(granted(user, database)) for database in user.databases]
        self._change(guest, *statements)

    def change_user(self, guest: Guest, user: User, to: User) -> None:
        statements = [prepared(f"GRANT USAGE ON *.* TO {account(to)}")]  # fails if there is no such user
        if (user.name, user.host) != (to.name, to.host):
            renamed = f"RENAME USER {account(user)} TO {account(to)}"
            statements.insert(0, prepared(renamed, exists("mysql.user", User=user.name, Host=user.host)))
        if to.password is not None:
            statements.append(prepared(f"ALTER USER {account(to)} {self._distribution.identified(to.password)}"))
        self._change(guest, *statements)

    def drop_user(self, guest: Guest, user: User) -> None:
        self._change(guest, prepared(f"DROP USER IF EXISTS {account(user)}"))
        self._end_sessions(guest, user.name)

    def grant(self, guest: Guest, user: User, databases: Sequence[str]) -> None:
        self._change(guest, *(prepared(granted(user, database)) for database in databases))

    def revoke(self, guest: Guest, user: User, database: str) -> None:
        self._change(guest, *revoked(user, database))

    def enable_root(self, guest: Guest, password: str) -> None:
        """Make it anew if the customer dropped it."""
        root, identified = account(ROOT), self._distribution.identified(password)
        statements = [
            f"CREATE USER IF NOT EXISTS {root} {identified}",
            f"GRANT ALL PRIVILEGES ON *.* TO {root} WITH GRANT OPTION",
            *([f"REVOKE {self._distribution.root_lacks} ON *.* FROM {root}"] if self._distribution.root_lacks else []),
            f"ALTER USER {root} {identified} ACCOUNT UNLOCK",
        ]
        self._change(guest, *(prepared(each) for each in statements))

    def disable_root(self, guest: Guest) -> None:
        self._change(guest, prepared(f"ALTER USER IF EXISTS {account(ROOT)} ACCOUNT LOCK"))
        self._end_sessions(guest, ROOT.name)

    def _accounts(self, guest: Guest) -> Listed:
        users, grants, roots = self._listed(guest, f"{self._distribution.templates}/users.sql").splitlines()
        return Listed(
            [(name, host) for name, host in json.loads(users)],
            [(name, host, granted_on) for name, host, granted_on in json.loads(grants)],
            is_root_enabled=int(roots) > 0,
        )

    def _listed(self, guest: Guest, template: str) -> str:
        unlimited = "SET SESSION group_concat_max_len = 4294967295;\n"  # MariaDB's JSON_ARRAYAGG ends there, silently
        return unpacked(guest.run(LIST, stdin=unlimited + self._render(template), client=self._distribution.client))

    def _change(self, guest: Guest, *statements: str) -> None:
        session = f"SET SESSION sql_mode = '{self._distribution.sql_mode}';\n"
        guest.run(CHANGE, stdin=UNLOGGED + session + "".join(statements), client=self._distribution.client)

    def _end_sessions(self, guest: Guest, name: str) -> None:
        """End those of this name that came over the network; the server itself lets them go on."""
        whose = f"USER = {literal(name)} AND HOST NOT IN ('localhost', '')"
        query = f"SELECT ID FROM information_schema.PROCESSLIST WHERE {whose};\n"  # noqa: S608  quoted above
        sessions = guest.run(CHANGE, stdin=query, client=self._distribution.client).split()
        if sessions:
            self._change(guest, *(ended(int(each)) for each in sessions))
