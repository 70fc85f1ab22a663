"""A datastore whose databases and users are a ledger in memory: what the API and the steps do around a real one."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chalicelib.datastores.accounts import Accounts, Database, User
from chalicelib.datastores.logs import Log, Switch
from chalicelib.datastores.parameters import Value
from chalicelib.datastores.redis.manager import RedisManager
from chalicelib.errors import BadRequest, Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest


@dataclass
class Ledger(Accounts):
    names: list[str] = field(default_factory=list)
    logins: dict[tuple[str, str], User] = field(default_factory=dict)
    root_password: str | None = "as born"
    calls: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)  # in force

    def check_database(self, database: Database) -> None:
        if database.name == "mysql":
            raise BadRequest("Validation error: database name 'mysql' is reserved")

    def check_user(self, user: User) -> None:
        if user.name == "root" or user.password == "short":
            raise BadRequest(f"Validation error: user {user.name!r} cannot be")

    def databases(self, guest: Guest) -> list[Database]:
        return [Database(each) for each in sorted(self.names)]

    def users(self, guest: Guest) -> list[User]:
        return [replace(self.logins[each], password=None) for each in sorted(self.logins)]

    def is_root_enabled(self, guest: Guest) -> bool:
        return self.root_password is not None

    def create_databases(self, guest: Guest, databases: Sequence[Database]) -> None:
        self.calls.append("create_databases")
        self.names = sorted({*self.names, *(each.name for each in databases)})

    def drop_database(self, guest: Guest, name: str) -> None:
        self.names = [each for each in self.names if each != name]

    def create_users(self, guest: Guest, users: Sequence[User]) -> None:
        self.logins |= {(each.name, each.host): each for each in users}

    def change_user(self, guest: Guest, user: User, to: User) -> None:
        old = self.logins.pop((user.name, user.host))
        self.logins[to.name, to.host] = replace(to, databases=old.databases, password=to.password or old.password)

    def drop_user(self, guest: Guest, user: User) -> None:
        self.logins.pop((user.name, user.host), None)

    def grant(self, guest: Guest, user: User, databases: Sequence[str]) -> None:
        old = self.logins[user.name, user.host]
        self.logins[user.name, user.host] = replace(old, databases=tuple(sorted({*old.databases, *databases})))

    def revoke(self, guest: Guest, user: User, database: str) -> None:
        old = self.logins[user.name, user.host]
        left = tuple(each for each in old.databases if each != database)
        self.logins[user.name, user.host] = replace(old, databases=left)

    def enable_root(self, guest: Guest, password: str) -> None:
        self.root_password = password

    def disable_root(self, guest: Guest) -> None:
        self.root_password = None


THE_LEDGER = Ledger()


DEFAULTS = {"most": 10, "mode": "safe"}
RULED = 7  # then a group says which logs are on
REFUSED = 13  # what the server does not want, though the rules allow it
REFUSED_BY_REPLICAS = 14


class LedgerManager(RedisManager):
    supports_incremental_backups = True
    folder = Path(inspect.getfile(RedisManager)).parent  # of its templates

    @property
    def logs(self) -> Sequence[Log]:
        return (Log("general", "/log/general", Switch("noisy", on=True, off=False)), Log("server", "/log/server"))

    def switch_log(self, instance: Instance, guest: Guest, log: Log, *, on: bool) -> None:
        if THE_LEDGER.settings.get("most") == RULED:
            raise Permanent("noisy is set by the instance's configuration group")
        THE_LEDGER.settings["noisy"] = on

    def switched_on(self, guest: Guest) -> dict[str, bool]:
        return {"general": THE_LEDGER.settings.get("noisy", False), "server": True}

    @property
    def accounts(self) -> Accounts:  # type: ignore[override] # Redis has its own; this is the ledger
        return THE_LEDGER

    def parameter_files(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[File]:
        THE_LEDGER.settings |= values
        return ()

    def apply_parameters(self, instance: Instance, guest: Guest, values: Mapping[str, Value]) -> frozenset[str]:
        if values.get("most") == REFUSED or (values.get("most") == REFUSED_BY_REPLICAS and not instance.is_primary):
            raise Permanent(f"the server does not want most = {values['most']}")
        wanted = DEFAULTS | dict(values)
        THE_LEDGER.settings["most"] = wanted["most"]
        return frozenset({"mode"} if wanted["mode"] != THE_LEDGER.settings.get("mode", DEFAULTS["mode"]) else ())

    def actual_parameters(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        return {name: THE_LEDGER.settings.get(name, DEFAULTS[name]) for name in names}
