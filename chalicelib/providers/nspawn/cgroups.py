"""Control groups: what a guest may use of memory and processors, and the list of all its processes."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import ProviderError

MOUNT = Path("/sys/fs/cgroup")
VERSION_1 = ("memory", "cpu", "cpuacct", "pids", "blkio", "freezer", "devices", "systemd", "unified")
CONTROLLERS = ("memory", "cpu", "pids", "io")
PERIOD_MICROSECONDS = 100_000
SHARES_PER_VCPU = 1024
WEIGHT_PER_VCPU = 100
MAX_PIDS = 8192


@dataclass(frozen=True)
class Cgroup:
    """A guest's folder in each hierarchy: one in version 2, several in version 1 (and both where a host mixes them)."""

    path: str  # e.g. dtrove-1a2b/dtrove-1a2b-0123456789
    mount: Path = MOUNT

    @property
    def is_version_2(self) -> bool:
        return (self.mount / "cgroup.controllers").exists()

    @property
    def folders(self) -> list[Path]:
        if self.is_version_2:
            return [self.mount / self.path]
        hierarchies = {(self.mount / each).resolve() for each in VERSION_1 if (self.mount / each).is_dir()}
        return [each / self.path for each in sorted(hierarchies)]

    @property
    def entrances(self) -> list[Path]:
        """The files that the guest's runner writes its own number to."""
        return [folder / "cgroup.procs" for folder in self.folders]

    def ensure(self, memory_mib: int, vcpus: int) -> None:
        """Have the group with these limits. Raises ProviderError if this host cannot set them."""
        try:
            for folder in self.folders:
                folder.mkdir(parents=True, exist_ok=True)
            if self.is_version_2:
                self._delegate()
            for file, value in self._limits(memory_mib, vcpus):
                file.write_text(value)
            self._keep_from_swap()
        except OSError as error:
            raise ProviderError(f"This host's control groups do not let limits be set: {error}") from error

    def processes(self) -> set[int]:
        found: set[int] = set()
        for each in self._inner():
            with suppress(OSError):  # a guest removes groups of its own at any time
                found.update(int(line) for line in (each / "cgroup.procs").read_text().split())
        return found - {0}

    def kill(self) -> None:
        for folder in self.folders:
            _tell(folder / "cgroup.kill", "1")  # not there before Linux 5.14
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.thaw()  # after the blow, so that nothing runs in between: it waits for them

    def thaw(self) -> None:
        """Let all in the group run, whoever froze it: in version 1 what is frozen does not hear even SIGKILL."""
        for folder in self._inner():
            _tell(folder / "freezer.state", "THAWED")
            _tell(folder / "cgroup.freeze", "0")

    def remove(self) -> bool:
        """Remove the folders. True once none is left: one whose last process is just ending stays for a moment."""
        for each in reversed(self._inner()):
            with suppress(OSError):
                each.rmdir()
        return not any(folder.exists() for folder in self.folders)

    def _inner(self) -> list[Path]:
        """Return the group's folders with all below them, each after the one it is in."""
        return [Path(path) for folder in self.folders for path, _, _ in os.walk(folder)]

    def _delegate(self) -> None:
        """Let the groups above hand the controllers down."""
        for parent in (self.mount, *(self.mount / each for each in reversed(Path(self.path).parents) if each.name)):
            offered = (parent / "cgroup.controllers").read_text().split()
            wanted = " ".join(f"+{each}" for each in CONTROLLERS if each in offered)
            (parent / "cgroup.subtree_control").write_text(wanted)

    def _keep_from_swap(self) -> None:
        """Let no memory of the group go to the host's swap: beyond its limit it would have all of that."""
        for folder in self.folders:
            _tell(folder / "memory.swap.max", "0")
            _tell(folder / "memory.swappiness", "0")  # version 1: where 0 is never, at the group's own limit

    def _limits(self, memory_mib: int, vcpus: int) -> list[tuple[Path, str]]:
        memory, quota = str(memory_mib << 20), vcpus * PERIOD_MICROSECONDS
        if self.is_version_2:
            group = self.mount / self.path
            return [
                (group / "memory.max", memory),
                (group / "cpu.max", f"{quota} {PERIOD_MICROSECONDS}"),
                (group / "cpu.weight", str(vcpus * WEIGHT_PER_VCPU)),
                (group / "pids.max", str(MAX_PIDS)),
            ]
        return [
            (self.mount / "memory" / self.path / "memory.limit_in_bytes", memory),
            (self.mount / "cpu" / self.path / "cpu.cfs_period_us", str(PERIOD_MICROSECONDS)),
            (self.mount / "cpu" / self.path / "cpu.cfs_quota_us", str(quota)),
            (self.mount / "cpu" / self.path / "cpu.shares", str(vcpus * SHARES_PER_VCPU)),
            (self.mount / "pids" / self.path / "pids.max", str(MAX_PIDS)),
        ]


def _tell(file: Path, word: str) -> None:
    """Write to a file of the kernel's, if this kernel and this hierarchy have it."""
    if file.exists():
        with suppress(OSError):  # a guest removes groups of its own at any time
            file.write_text(word)
