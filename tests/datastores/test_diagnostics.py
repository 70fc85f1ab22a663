"""What a guest tells of itself and of its database server's process."""

import os
import subprocess
from pathlib import Path

import pytest

from chalicelib.datastores.diagnostics import DIAGNOSE, HARDWARE, diagnose, hardware
from chalicelib.errors import Permanent
from chalicelib.ssh.guest import render
from tests.fake_guest import FakeGuest

ASK = render(DIAGNOSE, {"service": "db", "user": "dbs", "unit": "/db.service", "pid_path": "/db.pid"})
STATUS = """\
Name:	mariadbd
Umask:	0077
FDSize:	256
VmPeak:	 1300000 kB
VmSize:	 1200000 kB
VmHWM:	  110000 kB
VmRSS:	  100000 kB
Threads:	14
SigQ:	0/7816
"""
VERSIONS = [
    ("mariadbd  Ver 10.11.6-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)", "10.11.6-MariaDB-0+deb12u1"),
    ("mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)", "8.4.3"),
    ("postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)", "15.10"),
    ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d3b1d7d3d3e0c6a6", "7.0.15"),
    ("a server of the future", "a server of the future"),
]


def test_memory_is_in_kib() -> None:
    guest = FakeGuest({HARDWARE: "4\nMemTotal:        4028440 kB\n"})

    assert hardware(guest) == {"mem_total": 4028440, "num_cpus": 4}


@pytest.mark.parametrize(("said", "version"), VERSIONS)
def test_the_process_is_diagnosed(said: str, version: str) -> None:
    told = diagnose(FakeGuest({ASK: f"{STATUS}{said}\n"}), "db", "dbs", "/db.pid")

    sizes = {"fdSize": 256, "vmSize": 1200000, "vmPeak": 1300000, "vmRss": 100000, "vmHwm": 110000}
    assert told == {"version": version, "threads": 14, **sizes}


def test_what_does_not_run_is_said() -> None:
    with pytest.raises(Permanent, match="db does not run"):
        diagnose(FakeGuest({ASK: "none\n"}), "db", "dbs", "/db.pid")


def diagnosed_here(note: str, folder: Path) -> tuple[str, str]:
    """Return what this machine's own shell says of the process in the note, and which commands ran as its user."""
    shims = {"systemctl": "echo 0", "runuser": f'echo "$@" >>{folder}/asked; shift 3; exec "$@"'}
    for name, script in shims.items():
        shim = folder / name
        shim.write_text(f"#!/bin/sh\n{script}\n")
        shim.chmod(0o755)
    (folder / "pid").write_text(f"{note}\n")
    words = {"service": "db", "user": "dbs", "unit": "/", "pid_path": str(folder / "pid")}
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    told = subprocess.run(
        ["sh", "-s"], input=render(DIAGNOSE, words), text=True, capture_output=True, check=False, env=environment
    )
    return told.stdout, (folder / "asked").read_text()


def test_what_a_note_of_the_server_s_own_user_names_runs_as_that_user(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        told, asked = diagnosed_here(str(process.pid), tmp_path)
        process.kill()

    assert "Threads:" in told
    assert "coreutils" in told
    assert asked == f"-u dbs -- head --lines=1 {tmp_path}/pid\n-u dbs -- /proc/self/fd/3 --version\n"


def test_a_note_that_is_no_process_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("/\n")
    (tmp_path / "status").symlink_to("/etc/passwd")

    told, asked = diagnosed_here(f"..{tmp_path}", tmp_path)

    assert (told, "--version" in asked) == ("none\n", False)
