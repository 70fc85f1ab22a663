"""This machine as a place for guests: whether it is fit, and what we have left on it."""

import os
import platform
import shutil
import sys
from pathlib import Path

from chalicelib.config import Config
from chalicelib.providers.nspawn import removal
from chalicelib.providers.nspawn.site import Site
from local import aws
from local.images import HOST_PACKAGES

OWNER = "owner"  # a file that says whose guests are here
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


def claim(settings: Config, folder: Path, *, is_up: bool) -> None:
    """Note that the service of this folder is the one whose guests are here. Raises Unfit if they are another's."""
    site = Site.of(settings)
    if (other := living_owner(site)) not in {None, folder.resolve()}:
        raise Unfit(f"The service of {other} has its guests in {site.root}: take that down first.")
    if not is_up and removal.everything_left(site):
        raise Unfit(f"In {site.root} are guests of a service that died, and its records with it: `make down` first.")
    site.root.mkdir(parents=True, exist_ok=True)
    (site.root / OWNER).write_text(str(folder.resolve()))


def living_owner(site: Site) -> Path | None:
    """Return the folder of the service that has its guests here and runs."""
    try:
        folder = Path((site.root / OWNER).read_text())
    except FileNotFoundError:
        return None
    return folder if aws.running(folder / "aws") else None


def everything_left(settings: Config) -> list[str]:
    """Name each guest, mount, network, loop device and folder of ours that is still on this machine."""
    return removal.everything_left(Site.of(settings))


def remove_everything(settings: Config, folder: Path) -> list[str]:
    """Remove all of them; return what is left nevertheless. Raises Unfit if they are another running service's."""
    site = Site.of(settings)
    if (other := living_owner(site)) not in {None, folder.resolve()}:
        raise Unfit(f"What is in {site.root} belongs to the service of {other}: it was left alone.")
    (site.root / OWNER).unlink(missing_ok=True)
    removal.remove_everything(site)
    return everything_left(settings)


if __name__ == "__main__":
    try:
        check()
    except Unfit as reason:
        sys.exit(str(reason))
