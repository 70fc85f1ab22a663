"""FakeGuest: a guest in memory that remembers all it was told."""

from collections.abc import Mapping
from typing import LiteralString

from chalicelib.ssh.guest import File, Guest, UnitState, render


class FakeGuest(Guest):
    """A guest that answers from `replies` and refuses any command it was not told of.

    `script` is what ran, in order: a command with its words filled in, ` <<< ` and its input if it had some; a started
    unit as `unit: command`. A reply is found by that whole line or by the command alone; an exception is raised.
    A started unit runs until it is asked for, then is as `endings` says; without an ending it runs on.
    """

    def __init__(
        self,
        replies: Mapping[str, str | Exception] | None = None,
        *,
        units: Mapping[str, UnitState] | None = None,
        endings: Mapping[str, UnitState] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        self.replies = dict(replies or {})
        self.units = dict(units or {})
        self.endings = dict(endings or {})
        self.outputs = dict(outputs or {})
        self.script: list[str] = []
        self.files: dict[str, str] = {}
        self.permissions: dict[str, str] = {}  # of each file, e.g. "0600 root:root"
        self.is_closed = False

    def run(self, command: LiteralString, *, stdin: str = "", **words: str | int) -> str:
        line = render(command, words)
        whole = f"{line} <<< {stdin}" if stdin else line
        self.script.append(whole)
        reply = self.replies.get(whole, self.replies.get(line))
        if reply is None:
            raise AssertionError(f"nobody told this guest of {whole!r}")
        if isinstance(reply, Exception):
            raise reply
        return reply

    def write(self, *files: File) -> None:
        for file in files:
            self.files[file.path] = file.text
            self.permissions[file.path] = f"{file.mode:04o} {file.owner}"

    def start(self, unit: str, command: LiteralString, **words: str | int) -> None:
        if self._state(unit) is UnitState.NOT_STARTED:
            self.script.append(f"{unit}: {render(command, words)}")
            self.units[unit] = UnitState.RUNNING

    def state(self, unit: str, *, wait_seconds: float = 0) -> UnitState:
        if self._state(unit) is UnitState.RUNNING:
            self.units[unit] = self.endings.get(unit, UnitState.RUNNING)
        return self._state(unit)

    def output(self, unit: str) -> str:
        return self.outputs.get(unit, "")

    def forget(self, unit: str) -> None:
        self.units.pop(unit, None)

    def close(self) -> None:
        self.is_closed = True

    def _state(self, unit: str) -> UnitState:
        return self.units.get(unit, UnitState.NOT_STARTED)
