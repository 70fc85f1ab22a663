"""PostgreSQL's parameters: a file that its own includes last, and what the server says of it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, LiteralString

from chalicelib.datastores.applying import LiveParameters
from chalicelib.datastores.described import OPT, SCRIPT_MODE
from chalicelib.datastores.parameters import Parameter, Value, as_typed
from chalicelib.datastores.postgresql.psql import AS_ADMINISTRATOR, AWAIT, BARE, ON_POSTGRES
from chalicelib.errors import Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

ASK: Final[LiteralString] = f"{AWAIT}{AS_ADMINISTRATOR} {BARE} {ON_POSTGRES}"
# A session's own value, ours or one that is set for the role, hides the server's: that is then the files'.
ACTUAL: Final = """\
SELECT json_object_agg(lower(name), CASE
    WHEN source IN ('client', 'database', 'user', 'database user', 'session') THEN coalesce((
        SELECT file.setting FROM pg_file_settings AS file
        WHERE lower(file.name) = lower(pg_settings.name) AND file.applied), boot_val)
    WHEN unit IS NULL OR vartype = 'real' THEN setting
    ELSE current_setting(name)
END) FROM pg_settings WHERE lower(name) IN ({names});
"""
KEPT_ON_STANDBYS: Final = (  # of our own configuration or the server's, where the customer says nothing
    ("max_connections", None),
    ("max_locks_per_transaction", 64),
    ("max_prepared_transactions", 0),
    ("max_worker_processes", 8),
)


class PostgresParameters(LiveParameters):
    overruled_by = " (ALTER SYSTEM may have set it too: that wins)"

    def __init__(self, parameters: Mapping[str, Parameter], path: str, *, scripts: Mapping[str, str]) -> None:
        super().__init__(parameters, path)
        self.scripts = scripts

    def lines(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[str]:
        return (f"{name} = {literal(value)}" for name, value in sorted(values.items()))

    def planned(
        self, instance: Instance, guest: Guest, values: Mapping[str, Value], names: Sequence[str]
    ) -> dict[str, Any]:
        guest.write(*(File(f"{OPT}/{name}", text, SCRIPT_MODE) for name, text in self.scripts.items()))
        said = guest.run(
            "/opt/dtrove/plan-parameters {names}", stdin=self.text(instance, values), names=" ".join(names)
        )
        lines = said.split("\n")
        return {name: as_typed(self.parameters[name], line) for name, line in zip(names, lines[:-1], strict=True)}

    def set_live(self, guest: Guest, values: Mapping[str, Any]) -> None:
        """The server reads its files again; so what is no longer in them is its default again by itself."""
        guest.write(File(f"{OPT}/reload-parameters", self.scripts["reload-parameters"], SCRIPT_MODE))
        guest.run("/opt/dtrove/reload-parameters")

    def actual(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        listed = ", ".join(literal(name) for name in names)
        said = json.loads(guest.run(ASK, stdin=ACTUAL.format(names=listed)))
        return {name: as_typed(self.parameters[name], said[name]) for name in names}


def literal(value: Value) -> str:
    """Return a value as a configuration file has it; a name is the same in SQL."""
    match value:
        case bool():
            return "'on'" if value else "'off'"
        case str():
            doubled = value.replace("\\", "\\\\").replace("'", "''")
            return f"'{doubled}'"
    return repr(value)


def rises(
    parameters: Mapping[str, Parameter], config: str, former: Mapping[str, Value], values: Mapping[str, Value]
) -> bool:
    """Say whether what standbys must have at least as much of rises. Raises Permanent if one rises as another falls."""
    up: list[str] = []
    down: list[str] = []
    for name, default in KEPT_ON_STANDBYS:
        found = re.search(rf"^{name} = ([0-9]+)$", config, re.MULTILINE)
        own = int(found[1]) if found else default
        before, after = (as_typed(parameters[name], each.get(name, own)) for each in (former, values))
        if after != before:
            (up if after > before else down).append(name)
    if up and down:
        raise Permanent(f"{up[0]} cannot rise while {down[0]} falls: change one after the other.")
    return bool(up)
