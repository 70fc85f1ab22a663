"""Making a guest's parameters what they shall be, and as they were if the server refuses: the same for all datastores.

The service reads `path`. What waits for a restart is in `path.next`, which only our own restart puts in its place; so a
guest that reboots by itself starts with what has been in force. Each file's first line holds its values.

What was before is noted on the guest before anything changes, and forgotten last. So an attempt that was cut is taken
up by the next, of whatever values, and still knows what to put back.
"""

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, LiteralString

from chalicelib.datastores.described import PUBLIC_MODE
from chalicelib.datastores.parameters import Parameter, Value, bytes_of, is_same
from chalicelib.errors import Permanent
from chalicelib.models.instance import Instance
from chalicelib.sizes import MIB
from chalicelib.ssh.guest import File, Guest

HEADER: Final = "# Parameters, laid by DTrove: "
NOTE: Final = "/etc/dtrove/parameters.note"
READ: Final[LiteralString] = (  # a line for each, empty if it is not there
    'for file in {path} {path}.next {note}; do [ ! -e "$file" ] || base64 --wrap=0 "$file"; echo; done'
)


class LiveParameters(ABC):
    """How one datastore is told its parameters, and asked for them: by its own client, over its socket."""

    overruled_by = ""  # what else may set them, as the end of a sentence

    def __init__(self, parameters: Mapping[str, Parameter], path: str) -> None:
        self.parameters = parameters
        self.path = path

    def text(self, instance: Instance, values: Mapping[str, Value]) -> str:
        """Return the file that the service reads."""
        lines = [HEADER + json.dumps(dict(sorted(values.items()))), *self.lines(instance, values)]
        return "\n".join(lines) + "\n"

    @abstractmethod
    def lines(self, instance: Instance, values: Mapping[str, Value]) -> Iterable[str]: ...

    @abstractmethod
    def planned(
        self, instance: Instance, guest: Guest, values: Mapping[str, Value], names: Sequence[str]
    ) -> dict[str, Any]:
        """Return what the server would have of `names` after a restart with the values, by its own reading of them.

        Raises CommandFailed, with its words, if it would not start. Changes nothing.
        """

    @abstractmethod
    def set_live(self, guest: Guest, values: Mapping[str, Any]) -> None:
        """Have the running server take these values; `path` has its new text already.

        Raises CommandFailed with the server's words, naming the parameter.
        """

    @abstractmethod
    def actual(self, guest: Guest, names: Sequence[str]) -> dict[str, Any]:
        """Return the server's present values, of what a new connection gets."""


@dataclass(frozen=True)
class Former:
    """What a guest had before anything changed."""

    text: str
    next: str | None  # what waited for a restart
    live: dict[str, Any] = field(default_factory=dict)  # the server's values of what is changed without one


def apply_parameters(
    live: LiveParameters, instance: Instance, guest: Guest, values: Mapping[str, Value]
) -> frozenset[str]:
    """See BaseManager.apply_parameters."""
    return Attempt(live, instance, guest, values).run()


@dataclass(frozen=True)
class Attempt:
    live: LiveParameters
    instance: Instance
    guest: Guest
    values: Mapping[str, Value]

    def run(self) -> frozenset[str]:
        self._check()
        former = self._former()
        names = self._touched(former)
        if not names:
            return frozenset()
        former = self._note(former, names)
        try:
            planned = self.live.planned(self.instance, self.guest, self.values, names)
            self._check_as_wished(planned)
            actual = self._set(former, planned)
        except Permanent as refused:
            self._put_back(former)
            raise Permanent(f"The datastore refused its parameters: {_words(refused)}") from refused
        self._finish(former)
        return frozenset(name for name in names if not self._is_same(name, planned[name], actual[name]))

    def _check(self) -> None:
        """Servers take more memory than there is, start, and are killed once they use it."""
        for name, value in sorted(self.values.items()):
            if name not in self.live.parameters:
                raise Permanent(f"The datastore has no parameter {name}.")
            parameter = self.live.parameters[name]
            if parameter.of_memory and bytes_of(parameter, value) > self.instance.memory_mib * MIB:
                raise Permanent(f"{name} = {value} is more than the instance's memory, {self.instance.memory_mib} MiB.")

    def _former(self) -> Former:
        """Return what was noted by an attempt that was cut, or else what is so now."""
        answer = self.guest.run(READ, path=self.live.path, note=NOTE).split("\n")
        text, next_text, note = (base64.b64decode(line).decode() for line in answer[:3])
        return Former(**json.loads(note)) if note else Former(text or f"{HEADER}{{}}\n", next_text or None)

    def _touched(self, former: Former) -> list[str]:
        names = {*self.values, *former.live, *values_of(former.text), *values_of(former.next or "")}
        return sorted(names & set(self.live.parameters))

    def _note(self, former: Former, names: Sequence[str]) -> Former:
        unknown = [name for name in names if not self._is_static(name) and name not in former.live]
        found = self.live.actual(self.guest, unknown) if unknown else {}
        noted = Former(former.text, former.next, former.live | found)
        self.guest.write(File(NOTE, json.dumps(asdict(noted))))
        return noted

    def _check_as_wished(self, planned: Mapping[str, Any]) -> None:
        for name, value in sorted(self.values.items()):
            if not self._is_same(name, value, planned[name]):
                raise Permanent(f"it would make {name} {planned[name]} instead of {value}{self.live.overruled_by}.")

    def _set(self, former: Former, planned: Mapping[str, Any]) -> dict[str, Any]:
        """Set what needs no restart, and return what the server then has. Static values stay those that there were."""
        now = self._only(self.values, static=False) | self._only(values_of(former.text), static=True)
        self.guest.write(File(self.live.path, self.live.text(self.instance, now), PUBLIC_MODE))
        self._set_live(self._only(planned, static=False))
        actual = self.live.actual(self.guest, list(planned))
        for name, value in self._only(planned, static=False).items():
            if not self._is_same(name, value, actual[name]):
                raise Permanent(f"{name} is {actual[name]} after it was set to {value}{self.live.overruled_by}.")
        return actual

    def _set_live(self, values: Mapping[str, Any]) -> None:
        """Set what differs: some servers begin long work for a value that they have already."""
        actual = self.live.actual(self.guest, list(values)) if values else {}
        changed = {name: value for name, value in values.items() if not self._is_same(name, value, actual[name])}
        self.live.set_live(self.guest, changed)

    def _put_back(self, former: Former) -> None:
        files = [File(self.live.path, former.text, PUBLIC_MODE)]
        if former.next is not None:
            files.append(File(f"{self.live.path}.next", former.next, PUBLIC_MODE))
        self.guest.write(*files)
        self._set_live(former.live)
        self._forget(keep_next=former.next is not None)

    def _finish(self, former: Former) -> None:
        waits = self._only(self.values, static=True) != self._only(values_of(former.text), static=True)
        if waits:
            self.guest.write(File(f"{self.live.path}.next", self.live.text(self.instance, self.values), PUBLIC_MODE))
        self._forget(keep_next=waits)

    def _forget(self, *, keep_next: bool) -> None:
        """Forget what was before: the last effect."""
        if keep_next:
            self.guest.run("rm -f {note}", note=NOTE)
        else:
            self.guest.run("rm -f {next} {note}", next=f"{self.live.path}.next", note=NOTE)

    def _only(self, values: Mapping[str, Any], *, static: bool) -> dict[str, Any]:
        """Return the static or the dynamic ones of the values; those that are offered no more are left out."""
        offered = {name: value for name, value in values.items() if name in self.live.parameters}
        return {name: value for name, value in offered.items() if self._is_static(name) is static}

    def _is_static(self, name: str) -> bool:
        return self.live.parameters[name].restart_required

    def _is_same(self, name: str, one: Any, other: Any) -> bool:
        return is_same(self.live.parameters[name], one, other)


def values_of(text: str) -> dict[str, Value]:
    """Return the values that a file of parameters holds."""
    first, _, _ = text.partition("\n")
    return dict(json.loads(first.removeprefix(HEADER))) if first.startswith(HEADER) else {}


def _words(refused: Permanent) -> str:
    """Return what the server said: a command's failure begins with what was run where."""
    return re.sub(r"^.*? ended with status \d+: ", "", str(refused), count=1, flags=re.DOTALL)
