"""The README's first command, as its user runs it, and as its user stops it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.config import Config
from local import aws, machine, service

pytestmark = pytest.mark.guests
ROOT = Path(__file__).parents[2]
NOTHING_LEFT_SECONDS = 60


@contextmanager
def demo() -> Iterator["subprocess.Popen[str]"]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DTROVE_", "AWS_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process


def left() -> list[str]:
    running = aws.running(service.FOLDER / "aws")
    return machine.everything_left(Config()) + ([f"embedded AWS {running.pid}"] if running else [])


def until_nothing_is_left() -> list[str]:
    until = time.monotonic() + NOTHING_LEFT_SECONDS
    while left() and time.monotonic() < until:
        time.sleep(0.2)
    return left()


def test_it_shows_three_datastores_and_leaves_nothing() -> None:
    with demo() as process:
        output = process.communicate()[0]

    assert process.returncode == 0, output
    assert len(re.findall(r"ACTIVE after .* a row written on .* replicas refuse writes", output)) == 3
    assert "Records left: 0 clusters, 0 instances, 0 keys" in output
    assert "Left on this machine: no guest, network, mount or volume" in output
    assert left() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_in_the_middle_it_leaves_nothing(how: signal.Signals) -> None:
    with demo() as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "prepare datastore" in line:
                break
        assert left()
        os.kill(process.pid, how)
        process.stdout.read()

    assert until_nothing_is_left() == []
