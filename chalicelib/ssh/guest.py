"""The Guest protocol: all that a manager can do to a server's inside. No paramiko here."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString, Protocol


class UnitState(StrEnum):
    NOT_STARTED = "not started"  # or lost by a reboot: transient units live in /run
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class File:
    """A file as it shall be on a guest. Its text may be secret."""

    path: str
    text: str
    mode: int = 0o600
    owner: str = "root:root"

    def __repr__(self) -> str:
        return f"File(path={self.path!r})"


class Guest(Protocol):
    """One guest over one connection. Each `{word}` of a command is shell-quoted and reaches no argv of ours."""

    def run(self, command: LiteralString, *, stdin: str = "", **words: str | int) -> str:
        """Return the command's standard output, at most config.output_limit_bytes of it.

        For commands of seconds; longer work is a unit (`start`).

        Raises:
            CommandFailed: it ended with a status other than 0; the message has the end of its standard error.
            Transient: no connection, or it was lost or the time was up: whether the command ran is not known.
            Permanent: the guest's host key is not the one it was born with.
        """
        ...

    def write(self, *files: File) -> None:
        """Replace each file in one move, making its folders. If one cannot be written, none is replaced.

        Their texts travel on standard input.
        """
        ...

    def start(self, unit: str, command: LiteralString, **words: str | int) -> None:
        """Start the command as a systemd unit that outlives the connection.

        A unit of that name that runs or ended is left alone. The command waits in a file that only root can read.
        """
        ...

    def state(self, unit: str, *, wait_seconds: float = 0) -> UnitState:
        """Return the unit's state, waiting on the guest while it runs, up to `wait_seconds`."""
        ...

    def output(self, unit: str) -> str:
        """Return the last lines the unit wrote, at most config.output_limit_bytes."""
        ...

    def forget(self, unit: str) -> None:
        """Forget how the unit ended, so that it can be started again. Not there is success."""
        ...

    def close(self) -> None: ...


def render(command: str, words: Mapping[str, str | int]) -> str:
    """Fill in the `{words}`, each quoted for the shell. Raises ValueError for a NUL, which no shell can hold."""
    return command.format(**{name: _quoted(str(value)) for name, value in words.items()})


def _quoted(word: str) -> str:
    if "\0" in word:
        raise ValueError("A word of a command cannot hold a NUL.")
    return shlex.quote(word)
