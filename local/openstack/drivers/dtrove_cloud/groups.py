"""Control groups: a guest's limit of memory, and the list of all its processes."""

import os
import signal
import time
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
ALL = "dtrove-openstack"
VERSION_1 = ("memory", "pids", "freezer", "cpu", "systemd", "unified")
PATIENCE_SECONDS = 5


def _is_version_2() -> bool:
    return (MOUNT / "cgroup.controllers").exists()


def _folders(name: str) -> list[Path]:
    hierarchies = [MOUNT] if _is_version_2() else [MOUNT / each for each in VERSION_1 if (MOUNT / each).is_dir()]
    return [each / ALL / name for each in hierarchies]


def ensure(name: str, memory_mib: int) -> list[Path]:
    """Have the guest's groups; return the files by which a process enters them."""
    for folder in _folders(name):
        folder.mkdir(parents=True, exist_ok=True)
    if _is_version_2():
        for parent in (MOUNT, MOUNT / ALL):
            (parent / "cgroup.subtree_control").write_text("+memory +pids")
        (MOUNT / ALL / name / "memory.max").write_text(f"{memory_mib}M")
    else:
        (MOUNT / "memory" / ALL / name / "memory.limit_in_bytes").write_text(f"{memory_mib}M")
    return [folder / "cgroup.procs" for folder in _folders(name)]


def processes(name: str) -> set[int]:
    found: set[int] = set()
    for folder, _, _ in os.walk(_folders(name)[0]):
        try:
            found.update(map(int, Path(folder, "cgroup.procs").read_text().split()))
        except OSError:  # a guest removes groups of its own at any time
            continue
    return found


def leader(name: str) -> int | None:
    """Return the host's number of the guest's process 1, once that is its init."""
    for process in processes(name):
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue
        status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        if status["Name"] == "systemd" and status.get("NSpid", "").split()[1:] == ["1"]:
            return process
    return None


def kill(name: str) -> None:
    """Kill all of the guest's processes, its runner too."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while living := processes(name):
        for process in living:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise TimeoutError(f"{name} cannot be killed")
        time.sleep(0.02)


def remove(name: str) -> None:
    """Remove the guest's groups; one whose last process is just ending stays for a moment."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(each.exists() for each in _folders(name)) and time.monotonic() < deadline:
        for top in _folders(name):
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    Path(folder).rmdir()
                except OSError:
                    time.sleep(0.02)
