"""This host as a cloud, under test: real machines, real SSH, calls that are killed."""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count

from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.site import Site
from chalicelib.ssh.keys import draw_key
from tests.providers.ssh_rig import SshRig

CHANGES = frozenset(
    {"subprocess.Popen", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chown", "os.truncate", "os.kill"}
)


class NspawnRig(SshRig):
    has_public_addresses = False
    stride = 4  # each takes a boot; a create has some 80 effects

    def __init__(self, site: Site) -> None:
        self.login = draw_key()
        self.site = site
        self.network = site.only_network

    def provider(self) -> NspawnProvider:
        return NspawnProvider(self.site)

    def cut(self, work: Callable[[], object], at: int) -> bool:
        """Do it in a child that kills itself as soon as Python is about to make change number `at`."""
        child = os.fork()
        if not child:
            _die_at_change(at)
            work()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status in {0, signal.SIGKILL}
        return status != 0


def _die_at_change(at: int) -> None:
    changes = count()

    def hook(event: str, words: tuple[object, ...]) -> None:
        is_write = event == "open" and isinstance(words[2], int) and words[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (event in CHANGES or is_write) and next(changes) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
