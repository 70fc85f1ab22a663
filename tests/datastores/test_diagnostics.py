"""What a guest tells of itself and of its database server's process."""

import pytest

from chalicelib.datastores.diagnostics import DIAGNOSE, HARDWARE, diagnose, hardware
from chalicelib.errors import Permanent
from chalicelib.ssh.guest import render
from tests.fake_guest import FakeGuest

ASK = render(DIAGNOSE, {"service": "db", "unit": "/db.service", "pid_path": "/db.pid"})
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
    told = diagnose(FakeGuest({ASK: f"{STATUS}{said}\n"}), "db", "/db.pid")

    sizes = {"fdSize": 256, "vmSize": 1200000, "vmPeak": 1300000, "vmRss": 100000, "vmHwm": 110000}
    assert told == {"version": version, "threads": 14, **sizes}


def test_what_does_not_run_is_said() -> None:
    with pytest.raises(Permanent, match="db does not run"):
        diagnose(FakeGuest({ASK: "none\n"}), "db", "/db.pid")
