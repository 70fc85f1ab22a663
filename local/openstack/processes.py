"""Processes that outlive the command that started them, each in a session of its own, found by number and birth."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from local.openstack.site import LOGS, PIDS

ENDING_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.05


def start(name: str, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Run the command unless it runs. What it writes is in the log of its name."""
    if pid_of(name):
        return
    with (LOGS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    (PIDS / name).write_text(f"{process.pid} {_born(process.pid)}")
    _started[process.pid] = process


_started: dict[int, "subprocess.Popen[bytes]"] = {}  # by this process, so that it can reap them


def pid_of(name: str) -> int | None:
    """Return the process's number, if it is still that one."""
    try:
        pid, born = (PIDS / name).read_text().split()
    except (OSError, ValueError):
        return None
    if (process := _started.get(int(pid))) is not None:
        process.poll()
    return int(pid) if _born(int(pid)) == born else None


def running() -> list[str]:
    """Return the names of those that run."""
    return sorted(each.name for each in PIDS.glob("*") if pid_of(each.name))


def stop(*names: str) -> None:
    """End them with all that they started: asked first, then killed."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        for name in names:
            if pid := pid_of(name):
                with suppress(ProcessLookupError):
                    os.killpg(pid, word)
        deadline = time.monotonic() + ENDING_SECONDS
        while any(map(pid_of, names)) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_SECONDS)
    for name in names:
        (PIDS / name).unlink(missing_ok=True)


def log_of(name: str) -> Path:
    return LOGS / f"{name}.log"


def _born(pid: int) -> str:
    """Return when it was started, which tells it from a later one of its number; "" if it ended."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if state == "Z" else fields[18]
