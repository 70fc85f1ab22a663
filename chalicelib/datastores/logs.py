"""Logs: what a server writes of itself, in files of its own on the guest: switched, looked at, read in pieces.

They lie in the manager's `log_folder`, which nobody else's logrotate knows. Only our timer turns one over, once it has
grown: it gets a new name, `.1`, and the `.1` before it goes. So a file keeps its birth and its inode as long as it is
there, and they are its name: its generation.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString, Protocol

from chalicelib import config
from chalicelib.datastores.applying import LiveParameters, values_of
from chalicelib.datastores.described import PUBLIC_MODE
from chalicelib.datastores.parameters import Value
from chalicelib.errors import NotFound, Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import File, Guest

LOOK: Final[LiteralString] = """\
while IFS= read -r path; do
  for file in "$path.1" "$path"; do
    stat --format='%W %i %s %n' -- "$file" 2>/dev/null || :
  done
done"""
# Read as the server's own user: who is that there, and lays a link in a log's place, sees no more by it. Looked at and
# read through one descriptor: whatever becomes of its name meanwhile, it is the file that was meant.
READ: Final[LiteralString] = """\
cd / && runuser -u {user} -- sh -c '
  {{
    [ "$(stat --dereference --format="%W %i" /dev/fd/3)" != "$2" ] ||
      tail --bytes="+$3" <&3 | head --bytes="$4" | base64 --wrap=0
  }} 3<"$1" || [ ! -e "$1" ]
' sh {path} {identity} {first} {count}"""
TAIL: Final[LiteralString] = """\
cd / && runuser -u {user} -- sh -c '
  for file in "$1.1" "$1"; do
    [ ! -f "$file" ] || tail --lines="$2" -- "$file"
  done | tail --lines="$2" | tail --bytes="$3" | base64 --wrap=0
' sh {path} {lines} {most}"""
BOTH: Final[LiteralString] = (  # a line for each, empty if it is not there
    'for file in {ours} {theirs}; do [ ! -e "$file" ] || base64 --wrap=0 "$file"; echo; done'
)


@dataclass(frozen=True)
class Switch:
    """The parameter that has the server write a log, or not. It is set while the server runs."""

    parameter: str
    on: Value
    off: Value


@dataclass(frozen=True)
class Log:
    name: str
    path: str
    switch: Switch | None = None  # None: the server always writes it

    @property
    def type(self) -> str:
        """Trove's: of the customer, who may switch it, or of the system."""
        return "USER" if self.switch else "SYS"


@dataclass(frozen=True)
class LogFile:
    """A file of a log as it was looked at."""

    path: str
    born: int  # seconds since 1970; 0 where the file system does not know
    inode: int
    size: int

    @property
    def generation(self) -> str:
        """Its name for as long as it is there: those of later files sort behind it."""
        return f"{self.born:010d}-{self.inode}"


class Switched(Protocol):
    """What of a manager a log is switched with."""

    parameters_path: str
    logs_path: str

    def live_parameters(self) -> LiveParameters: ...


def log_named(logs: Sequence[Log], name: str) -> Log:
    """Raises NotFound, naming those there are."""
    if found := next((each for each in logs if each.name == name), None):
        return found
    there = ", ".join(each.name for each in logs) or "none"
    raise NotFound(f"Log {name} cannot be found on the instance; there are: {there}.")


def files_of(guest: Guest, logs: Sequence[Log]) -> dict[str, list[LogFile]]:
    """Return the files that there are of each log, by its name: at most two, the older one first."""
    said = guest.run(LOOK, stdin="".join(f"{path}\n" for path in dict.fromkeys(each.path for each in logs)))
    found = [line.split(" ", 3) for line in said.splitlines()]
    files = [LogFile(path, int(born), int(inode), int(size)) for born, inode, size, path in found]
    return {log.name: [each for each in files if each.path in {f"{log.path}.1", log.path}] for log in logs}


def read_piece(guest: Guest, user: str, file: LogFile, offset: int, most_bytes: int) -> bytes:
    """Return what the file holds from the offset on, at most `most_bytes`; nothing if it is not that file any more."""
    identity, piece = f"{file.born} {file.inode}", bytearray()
    while len(piece) < most_bytes:
        count = min(bytes_at_once(), most_bytes - len(piece))
        first = offset + len(piece) + 1
        said = guest.run(READ, user=user, path=file.path, identity=identity, first=first, count=count)
        read = base64.b64decode(said)
        piece += read
        if len(read) < count:
            break
    return bytes(piece)


def last_lines(guest: Guest, user: str, log: Log, lines: int) -> list[str]:
    """Return its last lines, as far as they fit into one answer of a guest; the first may then lack its beginning."""
    said = base64.b64decode(guest.run(TAIL, user=user, path=log.path, lines=lines, most=bytes_at_once()))
    text = said.decode(errors="replace")
    return text.removesuffix("\n").split("\n") if text else []


def bytes_at_once() -> int:
    """Return how many bytes one command may answer with: they travel as base64, four characters for three of them."""
    return config.current().dtrove_output_limit_bytes // 4 * 3


def switch_log(manager: Switched, instance: Instance, guest: Guest, log: Log, *, on: bool) -> None:
    """Have the server write the log, or not, now and after each restart. May be repeated.

    What a configuration group says wins: its file is read after ours.

    Raises Permanent: a group says otherwise, or something else that the server heeds more.
    """
    switch = _switch_of(log)
    ours, theirs = _both(guest, manager)
    if switch.parameter in theirs:
        raise Permanent(
            f"{switch.parameter} is set by the instance's configuration group: change it there, or detach the group."
        )
    live, wanted = manager.live_parameters(), switch.on if on else switch.off
    kept = {name: value for name, value in ours.items() if name != switch.parameter}
    values = kept | ({switch.parameter: wanted} if on else {})
    guest.write(File(manager.logs_path, live.text(instance, values), PUBLIC_MODE))
    live.set_live(guest, {switch.parameter: wanted})
    if (actual := live.actual(guest, [switch.parameter])[switch.parameter]) != wanted:
        raise Permanent(f"{switch.parameter} is {actual} after it was set to {wanted}{live.overruled_by}.")


def switched_on(manager: Switched, guest: Guest, logs: Sequence[Log]) -> dict[str, bool]:
    """Return of each log whether the server writes it now."""
    parameters = [each.switch.parameter for each in logs if each.switch]
    actual: dict[str, Any] = manager.live_parameters().actual(guest, parameters) if parameters else {}
    return {each.name: not each.switch or actual[each.switch.parameter] != each.switch.off for each in logs}


def _both(guest: Guest, manager: Switched) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    """Return the values that our own file has, and those of the configuration group's."""
    answer = guest.run(BOTH, ours=manager.logs_path, theirs=manager.parameters_path).split("\n")
    ours, theirs = (values_of(base64.b64decode(line).decode()) for line in answer[:2])
    return ours, theirs


def _switch_of(log: Log) -> Switch:
    if log.switch is None:
        raise Permanent(f"The log {log.name} is always on.")
    return log.switch
