"""MySQL's parameters: an option file of their own, SET GLOBAL, and what the server says it would start with."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.datastores.applying import LiveParameters
from chalicelib.datastores.described import OPT, SCRIPT_MODE
from chalicelib.datastores.parameters import Parameter, Value, as_typed
from chalicelib.errors import CommandFailed, Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

AT_LINE = re.compile(r"at line (\d+)")
QUOTED = str.maketrans({"\\": r"\\", "'": r"\'", '"': r"\""})


class MySQLParameters(LiveParameters):
    def __init__(self, parameters: Mapping[str, Parameter], path: str, *, client: str, plan: str) -> None:
        super().__init__(parameters, path)
        self.client = client
        self.plan = plan

    def lines(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[str]:
        yield "[mysqld]"
        yield from (f"{name} = {option(value)}" for name, value in sorted(values.items()))

    def planned(
        self, instance: Instance, guest: Guest, values: Mapping[str, Value], names: Sequence[str]
    ) -> dict[str, Any]:
        guest.write(File(f"{OPT}/plan-parameters", self.plan, SCRIPT_MODE))
        dashed = {name.replace("_", "-"): name for name in names}
        said = guest.run(
            "/opt/dtrove/plan-parameters {names}", stdin=self.text(instance, values), names="|".join(dashed)
        )
        found = {}
        for line in said.splitlines():
            name, _, value = line.partition(" ")
            found[dashed[name]] = as_typed(self.parameters[dashed[name]], value.strip())
        if lacking := sorted(set(names) - set(found)):
            raise Permanent(f"it does not say what it would make of {lacking[0]}.")
        return found

    def set_live(self, guest: Guest, values: Mapping[str, Any]) -> None:
        """One statement a line, after one that has quotes and backslashes mean what they usually do."""
        if not values:
            return
        names = sorted(values)
        lines = ["SET SESSION sql_mode = '';", *(f"SET GLOBAL {name} = {literal(values[name])};" for name in names)]
        try:
            self._ask(guest, "\n".join(lines) + "\n")
        except CommandFailed as error:
            found = AT_LINE.search(str(error))
            name = names[int(found[1]) - 2] if found and int(found[1]) > 1 else ", ".join(names)
            raise Permanent(f"{name}: {error}") from error

    def actual(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        pairs = ", ".join(f"'{name}', CAST(@@GLOBAL.{name} AS CHAR)" for name in names)
        said = json.loads(self._ask(guest, f"SELECT JSON_OBJECT({pairs});\n"))
        return {name: as_typed(self.parameters[name], said[name]) for name in names}

    def _ask(self, guest: Guest, sql: str) -> str:
        ask = (
            "/opt/dtrove/service await </dev/null && "
            "{client} --default-character-set=utf8mb4 --batch --raw --skip-column-names"
        )
        return guest.run(ask, stdin=sql, client=self.client)


def literal(value: Value) -> str:
    """Return a value as SQL has it."""
    match value:
        case bool():
            return "ON" if value else "OFF"
        case str():
            return f"'{value.translate(QUOTED)}'"
    return repr(value)


def option(value: Value) -> str:
    """Return a value as an option file has it: nothing in quotes ends the line's value or begins a comment."""
    match value:
        case bool():
            return "ON" if value else "OFF"
        case str():
            return f'"{value.translate(QUOTED)}"'
    return repr(value)
