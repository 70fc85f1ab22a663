"""A well-behaved guest, and no thread left behind by anyone."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from chalicelib.ssh.client import SshGuest
from tests.ssh.connecting import PATIENT, connect
from tests.ssh.scripted_sshd import ScriptedSshd


@pytest.fixture(scope="module")
def guest() -> Iterator[SshGuest]:
    """One well-behaved guest a module: its commands run for real, in a local sh."""
    with ScriptedSshd() as sshd, closing(connect(sshd, replace(PATIENT, dtrove_output_limit_bytes=1_000_000))) as guest:
        yield guest


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread behind: a warm worker would gather them."""
    before = set(threading.enumerate())
    yield
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(5)
    assert not [thread for thread in left if thread.is_alive()]
