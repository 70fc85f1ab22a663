"""Removing every trace of the cloud from the machine but its cache; and the proof that none is left."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from local.openstack import processes
from local.openstack.host import run
from local.openstack.site import CONTROL_GROUP, LINKS, NAMESPACES, STATE, TABLES

MOUNTS = Path("/proc/self/mountinfo")
PATIENCE_SECONDS = 5.0


def remove_everything() -> list[str]:
    """Remove what `everything_left` names, whoever made it and however far; return what is left nevertheless."""
    processes.stop(*processes.running())
    _kill_guests()
    for mount_point in reversed(_mounts()):
        run("umount", "--lazy", mount_point)
    for link in _links():
        subprocess.run(("ip", "link", "delete", link), capture_output=True, check=False)  # its peer may have taken it
    for namespace in _namespaces():
        run("ip", "netns", "delete", namespace)
    for table in _tables():
        run("nft", "delete", "table", *table.split())
    for device in _loops():
        run("losetup", "--detach", device)
    _until(lambda: not _remove_groups())
    shutil.rmtree(STATE, ignore_errors=True)
    return everything_left()


def everything_left() -> list[str]:
    """Name all that is on the machine of the cloud but its cache. Nothing, after `remove_everything`."""
    return [
        *(f"service {each}" for each in processes.running()),
        *(f"process {each}" for each in sorted(_guest_processes())),
        *(f"mount {each}" for each in _mounts()),
        *(f"interface {each}" for each in _links()),
        *(f"network namespace {each}" for each in _namespaces()),
        *(f"nft table {each}" for each in _tables()),
        *(f"loop device {each}" for each in _loops()),
        *(f"control group {each}" for each in _groups()),
        *(f"folder {each}" for each in [STATE] if STATE.exists()),
    ]


def _kill_guests() -> None:
    """End the runners with their guests; what is in the freezer does not hear even SIGKILL."""

    def none_lives() -> bool:
        for group in _groups():
            for thaw in group.rglob("freezer.state"):
                thaw.write_text("THAWED")
        for process in _guest_processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not _guest_processes()

    _until(none_lives)


def _guest_processes() -> set[int]:
    found: set[int] = set()
    for group in _groups():
        for each in group.rglob("cgroup.procs"):
            with suppress(OSError):  # guests remove groups of their own at any time
                found.update(map(int, each.read_text().split()))
    return found


def _groups() -> list[Path]:
    """Return the guests' folder in each hierarchy: one in version 2, several in version 1."""
    mount = Path("/sys/fs/cgroup")
    hierarchies = [mount, *(each for each in mount.iterdir() if each.is_dir() and not each.is_symlink())]
    return [each / CONTROL_GROUP for each in hierarchies if (each / CONTROL_GROUP).is_dir()]


def _remove_groups() -> list[Path]:
    for group in _groups():
        for path, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):  # one whose last process is just ending stays for a moment
                Path(path).rmdir()
    return _groups()


def _mounts() -> list[str]:
    points = (line.split()[4] for line in MOUNTS.read_text().splitlines())
    return [each for each in points if each.startswith(f"{STATE}/")]


def _links() -> list[str]:
    return [each.name for each in _entries(Path("/sys/class/net")) if each.name.startswith(LINKS)]


def _namespaces() -> list[str]:
    return [each.name for each in _entries(Path("/run/netns")) if each.name.startswith(NAMESPACES)]


def _tables() -> list[str]:
    listed = [line.removeprefix("table ") for line in run("nft", "list", "tables").splitlines()]
    return [each for each in listed if each in TABLES]


def _loops() -> list[str]:
    lines = run("losetup", "--noheadings", "--output", "NAME,BACK-INO,BACK-FILE").splitlines()
    return [name for name, inode, file in (line.split(maxsplit=2) for line in lines) if _is_ours(file, int(inode))]


def _is_ours(file: str, inode: int) -> bool:
    """Say so of a file of this cloud's, not of one by the same name where a container of this machine has its own."""
    path = Path(file.removesuffix(" (deleted)"))
    return path.is_relative_to(STATE) and (str(path) != file or _inode_of(path) == inode)


def _inode_of(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _entries(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
