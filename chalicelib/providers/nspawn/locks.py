"""Locks between the processes that work on one site: the kernel frees them however a process ends."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.errors import ProviderError, Transient

PATIENCE_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.005


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock. Its file is there only while it is held.

    Raises:
        Transient: another process holds it.
        ProviderError: what was done under it met an error of this host: a full disk, a file that is not to be written.
    """
    try:
        lock = _taken(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(lock)
    except OSError as error:
        raise ProviderError(f"This host refused: {error}") from error


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Return the descriptor that holds the lock, or None if another has it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _taken(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        lock = try_lock(path)
        if lock is not None and _is_current(lock, path):
            return lock
        if lock is not None:
            os.close(lock)  # its last holder removed the file while we waited
        elif time.monotonic() > deadline:
            raise Transient(f"Another call has been at work on {path.stem} for {PATIENCE_SECONDS:.0f} s.")
        time.sleep(LOOK_AGAIN_SECONDS)


def _is_current(lock: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False
