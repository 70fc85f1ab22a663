"""A race on the embedded AWS: moto's transactions are not atomic between threads."""

import os
import subprocess
import sys

import pytest

from local.aws import ROOT, EmbeddedAws

pytestmark = pytest.mark.aws


def test_all_who_come_and_go_at_once_are_in_line_exactly_once(aws: EmbeddedAws) -> None:
    """In a process of its own: here the records' connections are moto's."""
    settings = {**os.environ, **aws.environment(), "DTROVE_TABLE_PREFIX": "race-"}

    ended = subprocess.run(
        [sys.executable, "-m", "tests.local.turns_race"],
        cwd=ROOT,
        env=settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 0, ended.stderr[-2000:]
