"""Processes that outlive the command that started them, found again by a file with their number."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 3.0
_started: dict[int, "subprocess.Popen[bytes]"] = {}  # by this process, so that it can reap them


def start(folder: Path, module: str, *arguments: str) -> None:
    """Run `python -m module arguments` in a session of its own, unless it runs already. Its log is in the folder."""
    if running(folder, module):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{module}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[process.pid] = process
    _file(folder, module).write_text(json.dumps(process.pid))


def running(folder: Path, module: str) -> int | None:
    """Return the number of the process, if it is still that one."""
    try:
        pid = int(json.loads(_file(folder, module).read_text()))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if module.encode() in command else None


def stop(folder: Path, module: str) -> None:
    if (pid := running(folder, module)) is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        while running(folder, module) and time.monotonic() < until:
            if pid in _started and _started[pid].poll() is not None:
                del _started[pid]
            time.sleep(0.02)
    _file(folder, module).unlink(missing_ok=True)
    (folder / f"{module}.log").unlink(missing_ok=True)


def _file(folder: Path, module: str) -> Path:
    return folder / f"{module}.pid"
