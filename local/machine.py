"""This machine as a place for guests: whether it is fit, and what we have left on it."""

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

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


def settle(settings: Mapping[str, str]) -> None:
    """Make this process speak of the same servers as the service it starts."""
    os.environ.update({name: value for name, value in settings.items() if name.startswith("DTROVE_NSPAWN_")})


def nspawn_root() -> Path:
    from chalicelib import config  # noqa: PLC0415 - reads the environment once, which may be settled just before

    return Path(config.current().dtrove_nspawn_root)


def everything_left() -> list[str]:
    """Name each guest, mount, network, loop device and folder of ours that is still on this machine."""
    from chalicelib.providers.nspawn.removal import everything_left as left  # noqa: PLC0415

    return list(left())


def remove_everything() -> list[str]:
    """Remove all of them; return what is left nevertheless."""
    from chalicelib.providers.nspawn.removal import remove_everything as remove  # noqa: PLC0415

    remove()
    return everything_left()


if __name__ == "__main__":
    try:
        check()
    except Unfit as reason:
        sys.exit(str(reason))
