"""This machine as a place for guests: whether it is fit, and what we have left on it."""

import os
import platform
import shutil
import sys

from chalicelib.config import Config
from chalicelib.providers.nspawn import removal
from chalicelib.providers.nspawn.site import Site
from local.images import HOST_PACKAGES

TOOLS = ("systemd-nspawn", "ip", "nft", "mmdebstrap", "mkfs.xfs")


class Unfit(Exception):
    """This machine cannot run real guests; the message says why, in one sentence."""


def check() -> None:
    """Raise Unfit if real guests cannot run here."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise Unfit("Real guests need Linux and root: run this as root, or run `make check`, which needs neither.")
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        raise Unfit(f"Real guests need {', '.join(missing)}: apt-get install {' '.join(HOST_PACKAGES)}.")


def everything_left(settings: Config) -> list[str]:
    """Name each guest, mount, network, loop device and folder of ours that is still on this machine."""
    return removal.everything_left(Site.of(settings))


def remove_everything(settings: Config) -> list[str]:
    """Remove all of them; return what is left nevertheless."""
    removal.remove_everything(Site.of(settings))
    return everything_left(settings)


if __name__ == "__main__":
    try:
        check()
    except Unfit as reason:
        sys.exit(str(reason))
