"""A guest in memory: its files and units live on the server in the memory cloud, so they outlast a connection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import LiteralString

from chalicelib.errors import Permanent, Transient
from chalicelib.models.instance import Instance
from chalicelib.models.key import Key
from chalicelib.providers.memory_cloud import Cloud
from chalicelib.ssh.guest import File, Guest, UnitState, render
from tests.logbook import Logbook

TRUSTED = "/root/.ssh/authorized_keys"
ANSWERS = {  # what a command says on a guest where all goes well, by its beginning
    "/opt/dtrove/replica-state": "following",
    "getent passwd": "/root",
    "nproc": "2\nMemTotal:         524288 kB\n",
    "pid=": "Name:\tredis-server\nFDSize:\t64\nVmPeak:\t   70000 kB\nVmSize:\t   60000 kB\nVmHWM:\t   11000 kB\n"
    "VmRSS:\t   10000 kB\nThreads:\t5\nRedis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n",
}


@dataclass
class Inside:
    """What is inside one server."""

    units: dict[str, int] = field(default_factory=dict)  # polls left until it has succeeded
    started: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # of units
    logbook: Logbook = field(default_factory=Logbook)


@dataclass
class Guests:
    """The insides of all servers of a cloud."""

    cloud: Cloud
    polls: int = 0  # how often a unit is asked for until it has succeeded
    trip: Callable[[str], None] = lambda point: None
    fail: Callable[[str, str], None] = lambda address, command: None  # raises where a command shall fail
    is_silent: Callable[[Instance], bool] = lambda instance: False  # boots, and never lets SSH in
    insides: dict[str, Inside] = field(default_factory=dict)  # by server_id
    publics: dict[str, str] = field(default_factory=dict)  # public keys by key_id: each is read once

    def connect(self, instance: Instance, key_id: str) -> Guest:
        server = self.cloud.servers.get(instance.instance_id)
        if server is None or self.is_silent(instance):
            raise Transient(f"{instance.address} does not answer.")
        assert server.birth.host_key_public == instance.host_key, "the pinned host key is not the one it was born with"
        if self._public(key_id) not in self.trusted_by(instance):
            raise Permanent(f"{instance.address} does not trust {key_id}.")
        return SimulatedGuest(self, self.insides.setdefault(server.owned.resource_id, Inside()), instance)

    def trusted_by(self, instance: Instance) -> set[str]:
        """Return the public keys that open the instance's guest."""
        server = self.cloud.servers[instance.instance_id]
        inside = self.insides.get(server.owned.resource_id, Inside())
        return set(inside.files.get(TRUSTED, server.birth.authorized_key).splitlines())

    def _public(self, key_id: str) -> str:
        if key_id not in self.publics:
            self.publics[key_id] = Key.get(key_id, consistent_read=True).public
        return self.publics[key_id]


class SimulatedGuest(Guest):
    def __init__(self, guests: Guests, inside: Inside, instance: Instance) -> None:
        self._guests, self._inside, self._instance_id = guests, inside, instance.instance_id
        self._address = str(instance.address)

    def run(self, command: LiteralString, *, stdin: str = "", **words: str | int) -> str:
        line = render(command, words)
        self._guests.fail(self._address, line)
        self._guests.trip(f"before run {command[:40]}")
        self._inside.ran.append(line)
        self._guests.trip(f"after run {command[:40]}")
        if (told := self._inside.logbook.answer(command, stdin, words)) is not None:
            return told
        if line.endswith('blockdev --getsize64 "$device"'):
            return str(self._guests.cloud.volumes[self._instance_id].size_gib * 2**30)
        if line.startswith("test -e "):
            return "begun" if any(f"touch {line.split()[2]} " in each for each in self._inside.commands) else "new"
        return next((answer for begin, answer in ANSWERS.items() if line.startswith(begin)), "")

    def write(self, *files: File) -> None:
        for file in files:
            self._guests.trip(f"before write {file.path}")
            self._inside.files[file.path] = file.text
            self._guests.trip(f"after write {file.path}")

    def start(self, unit: str, command: LiteralString, **words: str | int) -> None:
        self._guests.fail(self._address, render(command, words))
        self._guests.trip(f"before start {unit}")
        if unit not in self._inside.units:  # of two starts at once systemd refuses the second
            self._inside.units[unit] = self._guests.polls
            self._inside.started.append(unit)
            self._inside.commands.append(render(command, words))
        self._guests.trip(f"after start {unit}")

    def state(self, unit: str, *, wait_seconds: float = 0) -> UnitState:
        if unit not in self._inside.units:
            return UnitState.NOT_STARTED
        if self._inside.units[unit]:
            self._inside.units[unit] -= 1
            return UnitState.RUNNING
        return UnitState.SUCCEEDED

    def output(self, unit: str) -> str:
        self._guests.trip(f"before output {unit}")
        return f"output of {unit}"

    def forget(self, unit: str) -> None:
        self._inside.units.pop(unit, None)

    def close(self) -> None:
        pass
