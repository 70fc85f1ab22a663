"""PostgreSQL's databases, roles that log in, and postgres, over psql."""

import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, LiteralString

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.listing import PACKED, unpacked
from chalicelib.datastores.postgresql import names
from chalicelib.datastores.postgresql.psql import AWAIT, BARE, ON_POSTGRES, SESSION
from chalicelib.datastores.postgresql.quoting import literal, uri_of
from chalicelib.datastores.postgresql.scram import scram_verifier
from chalicelib.ssh.guest import Guest

AS_ADMINISTRATOR: Final[LiteralString] = (
    "runuser -u postgres -- env PGCLIENTENCODING=UTF8"
    f" PGOPTIONS='{SESSION}'"
    f" psql --no-psqlrc --quiet {BARE} {ON_POSTGRES}"
)
CHANGE: Final[LiteralString] = f"{AWAIT}{AS_ADMINISTRATOR}"
LIST: Final[LiteralString] = f"{AWAIT}listed=$({AS_ADMINISTRATOR}){PACKED}"


class PostgresAccounts(Accounts):
    """To PostgreSQL, a user's password is a verifier with a salt drawn anew each time it is told."""

    def __init__(self, render: Callable[..., str]) -> None:
        self._render = render

    def check_database(self, database: Database) -> None:
        names.check_database(database)

    def check_user(self, user: User) -> None:
        names.check_user(user)

    def databases(self, guest: Guest) -> list[Database]:
        return [Database(*each) for each in sorted(self._listed(guest, "databases.sql"))]

    def users(self, guest: Guest) -> list[User]:
        listed = self._listed(guest, "users.sql")
        granted: dict[str, list[str]] = {
            name: [] for name in sorted(listed["users"]) if name not in names.RESERVED_USERS
        }
        for name, database in listed["grants"]:
            if name in granted:
                granted[name].append(database)
        return [User(name, databases=tuple(sorted(databases))) for name, databases in granted.items()]

    def is_root_enabled(self, guest: Guest) -> bool:
        return bool(self._listed(guest, "users.sql")["is_root_enabled"])

    def create_databases(self, guest: Guest, databases: Sequence[Database]) -> None:
        texts = [
            self._render("create-database.sql", name=literal(each.name), locale=each.collate and literal(each.collate))
            for each in databases
        ]
        self._change(guest, *texts)

    def drop_database(self, guest: Guest, name: str) -> None:
        self._change(guest, self._render("drop-database.sql", name=literal(name)))

    def create_users(self, guest: Guest, users: Sequence[User]) -> None:
        texts: list[str] = []
        for user in users:
            verifier = literal(_verifier(user.told_password))
            texts.append(self._render("create-user.sql", name=literal(user.name), verifier=verifier))
            texts += (self._granting("grant.sql", user, database) for database in user.databases)
        self._change(guest, *texts)

    def change_user(self, guest: Guest, user: User, to: User) -> None:
        verifier = None if to.password is None else literal(_verifier(to.told_password))
        names_of_both = {"name": literal(user.name), "to": literal(to.name)}
        self._change(guest, self._render("change-user.sql", verifier=verifier, **names_of_both))

    def drop_user(self, guest: Guest, user: User) -> None:
        """In each database, what it made becomes the administrator's and what it was granted goes."""
        uris = [uri_of(each) for each in self._listed(guest, "places.sql")]
        self._change(guest, self._render("drop-user.sql", name=literal(user.name), uris=uris))

    def grant(self, guest: Guest, user: User, databases: Sequence[str]) -> None:
        self._change(guest, *(self._granting("grant.sql", user, database) for database in databases))

    def revoke(self, guest: Guest, user: User, database: str) -> None:
        self._change(guest, self._granting("revoke.sql", user, database))

    def enable_root(self, guest: Guest, password: str) -> None:
        self._change(guest, self._render("enable-root.sql", verifier=literal(_verifier(password))))

    def disable_root(self, guest: Guest) -> None:
        self._change(guest, self._render("disable-root.sql"))

    def _granting(self, template: str, user: User, database: str) -> str:
        return self._render(template, name=literal(user.name), database=literal(database), uri=uri_of(database))

    def _listed(self, guest: Guest, template: str) -> Any:
        return json.loads(unpacked(guest.run(LIST, stdin=self._render(template))))

    def _change(self, guest: Guest, *texts: str) -> None:
        if texts:
            guest.run(CHANGE, stdin="".join(texts))


def _verifier(password: str) -> str:
    return scram_verifier(password, secrets.token_hex())
