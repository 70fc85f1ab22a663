"""Asking for a unit where systemd answers as a script says. (Real units: test_real_guest.py.)"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.errors import Transient
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.guest import UnitState
from tests.ssh.connecting import PATIENT, connect
from tests.ssh.scripted_sshd import ScriptedSshd

Systemctl = Callable[[str], SshGuest]


@pytest.fixture
def systemctl(tmp_path: Path) -> Iterator[Systemctl]:
    """A function that connects to a guest whose `systemctl` is the given script."""
    settings = replace(PATIENT, dtrove_prefix=f'env PATH="{tmp_path}:$PATH" ')
    with ScriptedSshd() as sshd, closing(connect(sshd, settings)) as guest:

        def with_systemctl(script: str) -> SshGuest:
            (tmp_path / "systemctl").write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
            (tmp_path / "systemctl").chmod(0o755)
            return guest

        yield with_systemctl


def test_waiting_asks_again_over_the_same_connection_until_the_unit_ends(systemctl: Systemctl) -> None:
    guest = systemctl("""
        echo asked >>asked
        if [ "$(wc -l <asked)" -lt 4 ]; then echo ActiveState=activating; else echo ActiveState=failed; fi""")

    assert guest.state("dtrove-work", wait_seconds=60) is UnitState.FAILED


def test_without_waiting_it_asks_once(systemctl: Systemctl, tmp_path: Path) -> None:
    guest = systemctl("[ $1 != show ] || echo asked >>asked; echo ActiveState=activating")

    assert guest.state("dtrove-work") is UnitState.RUNNING

    assert (tmp_path / "asked").read_text() == "asked\n"


@pytest.mark.parametrize("script", ["exit 1", "[ $1 = show ] && echo ActiveState=failed || echo stopping"])
def test_a_systemd_that_does_not_answer_or_goes_down_is_transient(systemctl: Systemctl, script: str) -> None:
    guest = systemctl(script)

    with pytest.raises(Transient, match="asking for dtrove-work ended with status 75"):
        guest.state("dtrove-work")
