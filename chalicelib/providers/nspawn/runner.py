"""The runner of a guest, seen from outside: started, asked, signalled."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from chalicelib.providers.nspawn import host
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.locks import try_lock

SCRIPT = Path(__file__).with_name("runner.sh")
REALTIME = 34  # where the guest's C library, which is Debian's, counts them from
HALT = REALTIME + 3  # systemd's words: start halt.target, start reboot.target
REBOOT = REALTIME + 5
LAUNCH_PATIENCE_SECONDS = 0.2  # whoever asks `is_alive` holds the lock for microseconds
LOOK_AGAIN_SECONDS = 0.005
LONGEST_LINE_BYTES = 400  # on average, of those at a console's end


def launch(folder: Path, machine: str, cgroup: Cgroup) -> None:
    """Start the runner unless it runs. It inherits the lock that proves it alive: there is no gap between the two."""
    deadline = time.monotonic() + LAUNCH_PATIENCE_SECONDS
    while (lock := try_lock(folder / "running")) is None:
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_AGAIN_SECONDS)
    try:
        (folder / "status").unlink(missing_ok=True)
        script = folder / "runner.sh"
        shutil.copyfile(SCRIPT, script)  # a Lambda's own copy goes with its bundle
        entrances = [str(each) for each in cgroup.entrances]
        _detached(folder / "console.log", lock, "sh", str(script), str(folder), machine, *entrances)
    finally:
        os.close(lock)


def last_words(folder: Path, lines: int) -> str:
    """Return the last lines of what the guest and its runner said on the console."""
    try:
        with (folder / "console.log").open("rb") as log:
            log.seek(max(log.seek(0, os.SEEK_END) - LONGEST_LINE_BYTES * lines, 0))
            said = log.read().decode(errors="replace").rstrip().splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(said[-lines:])


def is_alive(folder: Path) -> bool:
    """Say whether the runner, or the machine it started, runs: the kernel knows who holds the lock."""
    if not (folder / "running").exists():
        return False
    if (lock := try_lock(folder / "running", shared=True)) is None:
        return True
    os.close(lock)
    return False


def has_launched(folder: Path) -> bool:
    """Say whether the guest's first runner ever began."""
    return (folder / "launched").exists() or is_alive(folder)


def leader(cgroup: Cgroup) -> int | None:
    """Return the host's number of the guest's process 1, once that is its init."""
    return next((each for each in cgroup.processes() if _is_init(each)), None)


def tell(cgroup: Cgroup, word: int) -> None:
    """Signal the guest's init. One that is just starting may miss it: tell again."""
    if (process := leader(cgroup)) is not None:
        with suppress(ProcessLookupError):
            os.kill(process, word)


def started_at(process: int) -> str:
    """Return a mark that tells this process from a later one of the same number."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return f"{process} {fields[19]}"


def _is_init(process: int) -> bool:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return status["Name"] == "systemd" and status.get("NSpid", "").split()[1:] == ["1"]


def _detached(log: Path, lock: int, *command: str) -> None:
    """Run the command in a session of its own, as nobody's child and on none of the caller's pipes."""
    host.run("sh", "-c", 'exec setsid --fork "$@" </dev/null >>"$0" 2>&1', str(log), *command, pass_fds=[lock])
