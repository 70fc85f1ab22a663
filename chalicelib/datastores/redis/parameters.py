"""Redis's parameters: an included file that says all of them, and CONFIG SET, which takes all or none."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chalicelib.datastores.applying import LiveParameters
from chalicelib.datastores.parameters import Parameter, Value, as_typed
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import Guest

MEBIBYTES = re.compile(r"([0-9]+)mb")


class RedisParameters(LiveParameters):
    """Redis reads its file only as it starts, and cannot be asked for a default: parameters.json has those."""

    def __init__(
        self, parameters: Mapping[str, Parameter], path: str, render_config: Callable[[Instance], str]
    ) -> None:
        super().__init__(parameters, path)
        self.render_config = render_config

    def lines(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[str]:
        for name, value in sorted((self._defaults(instance) | dict(values)).items()):
            if name == "save":
                yield 'save ""'  # a second line adds to a first, wherever that is
            if name != "save" or value:
                yield f"{name} {quoted(word(value))}"

    def planned(
        self, instance: Instance, guest: Guest, values: Mapping[str, Value], names: Sequence[str]
    ) -> dict[str, Any]:
        planned = self._defaults(instance) | dict(values)
        return {name: planned[name] for name in names}

    def set_live(self, guest: Guest, values: Mapping[str, Any]) -> None:
        """Redis says which of them it refuses, and then takes none. A line an argument: values hold no line's end."""
        if values:
            lines = "".join(f"{name}\n{word(value)}\n" for name, value in sorted(values.items()))
            guest.run(
                "/opt/dtrove/service await </dev/null && xargs --delimiter='\\n' /opt/dtrove/ask-redis CONFIG SET",
                stdin=lines,
            )

    def actual(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        ask = "/opt/dtrove/service await </dev/null && xargs --delimiter='\\n' /opt/dtrove/ask-redis --json CONFIG GET"
        said = json.loads(guest.run(ask, stdin="".join(f"{name}\n" for name in names)))
        return {name: as_typed(self.parameters[name], said[name]) for name in names}

    def _defaults(self, instance: Instance) -> dict[str, Any]:
        """Return our own configuration's values, and the server's where it says nothing."""
        defaults = {name: each.default for name, each in self.parameters.items()}
        for line in self.render_config(instance).splitlines():
            name, _, value = line.partition(" ")
            if name in defaults:
                defaults[name] = as_typed(self.parameters[name], _in_bytes(value))
        return defaults


def word(value: Value) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def quoted(text: str) -> str:
    """Return a text as a configuration file has it."""
    doubled = text.replace("\\", "\\\\").replace('"', r"\"")
    return f'"{doubled}"'


def _in_bytes(value: str) -> str:
    found = MEBIBYTES.fullmatch(value)
    return str(int(found[1]) * 2**20) if found else value
