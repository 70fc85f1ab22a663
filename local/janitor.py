"""Takes the service down if the process that brought it up dies, even by `kill -9`.

The janitor holds the other end of a pipe. A word on it means that all is in order; its end without one, that nobody
is left.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import service

ROOT = Path(__file__).parent.parent
ALL_IN_ORDER = b"in order"


@contextmanager
def watched(provider: str = service.NSPAWN) -> Iterator[None]:
    """Have a janitor watch over this process until the block is left, in whatever way that a process survives.

    `provider` is where the service's servers are.
    """
    janitor = subprocess.Popen(
        [sys.executable, "-m", "local.janitor", provider], cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        janitor.communicate(ALL_IN_ORDER)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stdin.buffer.read() != ALL_IN_ORDER:
        service.down(provider=sys.argv[1])


if __name__ == "__main__":
    main()
