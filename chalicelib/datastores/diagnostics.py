"""What a guest and its database server's process are made of, as the guest's kernel tells it. Nothing is changed."""

import re
from typing import Final, LiteralString

from chalicelib.errors import Permanent
from chalicelib.ssh.guest import Guest

HARDWARE: Final[LiteralString] = "nproc && grep '^MemTotal:' /proc/meminfo"
# Which is the process: systemd knows it, or the server has noted it; of a note from before a crash the unit tells.
# It runs the file it was started from, whatever lies at its path by now: so it is asked for its version there. All as
# the server's own user: who can run programs as that user may have written the note, and started that process.
DIAGNOSE: Final[LiteralString] = (
    "pid=$(systemctl show --property=MainPID --value {service}); cd /; "
    '[ "${{pid:-0}}" != 0 ] || pid=$(runuser -u {user} -- head --lines=1 {pid_path}); '
    "case $pid in *[!0-9]*) pid=0 ;; esac; "
    'if grep --quiet --fixed-strings {unit} "/proc/${{pid:-0}}/cgroup"; then '
    'cat "/proc/$pid/status" && runuser -u {user} -- /proc/self/fd/3 --version 3<"/proc/$pid/exe"; else echo none; fi'
)
SIZES: Final = {"FDSize": "fdSize", "VmSize": "vmSize", "VmPeak": "vmPeak", "VmRSS": "vmRss", "VmHWM": "vmHwm"}
VERSION: Final = re.compile(r"[0-9]+\.[0-9]+[0-9A-Za-z.+~-]*")


def hardware(guest: Guest) -> dict[str, int]:
    """Return the guest's processors, and its memory in KiB."""
    processors, memory = guest.run(HARDWARE).splitlines()
    return {"mem_total": _number(memory), "num_cpus": int(processors)}


def diagnose(guest: Guest, service: str, user: str, pid_path: str) -> dict[str, str | int]:
    """Return the version, the threads and the memory (KiB) of the service's process. Permanent if it does not run.

    `user` is the service's own; `pid_path` is asked for the process where systemd does not know it.
    """
    lines = guest.run(DIAGNOSE, service=service, user=user, unit=f"/{service}.service", pid_path=pid_path).splitlines()
    told = {name: value for name, _, value in (line.partition(":") for line in lines)}
    if "Threads" not in told:
        raise Permanent(f"{service} does not run.")
    version = VERSION.search(lines[-1])
    sizes = {ours: _number(told.get(theirs, "0")) for theirs, ours in SIZES.items()}
    return {"version": version[0] if version else lines[-1], "threads": _number(told["Threads"]), **sizes}


def _number(text: str) -> int:
    """Return the number in one of the kernel's lines, e.g. of `MemTotal:  512000 kB`."""
    found = re.search(r"[0-9]+", text)
    return int(found[0]) if found else 0
