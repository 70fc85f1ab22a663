"""Removing every trace of a site from the host but its images; and the proof that none is left."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chalicelib import config
from chalicelib.providers.nspawn import host, network, servers, volumes
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.site import Site

FOLDERS = ("guests", "volumes", "snapshots", "addresses", "locks")
MOUNTS = Path("/proc/self/mountinfo")


def remove_everything(site: Site | None = None) -> None:
    """Remove what `everything_left` names, whoever made it and however far: no record is read. Cut, it is run again."""
    host.check()
    site = site or Site.of(config.current())
    remove_from_kernel(site)
    servers.remove_leftovers(f"{site.prefix}-*")
    for name in FOLDERS:
        shutil.rmtree(site.root / name, ignore_errors=True)
    with suppress(OSError):  # its images, if it has any of its own, stay
        site.root.rmdir()


def remove_from_kernel(site: Site) -> None:
    """Remove all that a start of the host itself would remove."""
    servers.kill(Cgroup(site.prefix))
    for mount_point in reversed(_mounts(site)):
        host.run("umount", "--lazy", mount_point)
    for interface in _interfaces(site):
        host.run("ip", "link", "delete", interface)
    for namespace in _namespaces(site):
        network.delete_namespace(namespace)
    for table in network.tables(site):
        host.run("nft", "delete", "table", *table.split())
    for _, disk in _loops(site):
        volumes.release(Path(disk))
    Cgroup(site.prefix).remove()


def everything_left(site: Site | None = None) -> list[str]:
    """Name all that is on the host of this site but its images. Nothing, after `remove_everything`."""
    site = site or Site.of(config.current())
    return [
        *(f"process {each}" for each in sorted(Cgroup(site.prefix).processes())),
        *(f"mount {each}" for each in _mounts(site)),
        *(f"interface {each}" for each in _interfaces(site)),
        *(f"network namespace {each}" for each in _namespaces(site)),
        *(f"nft table {each}" for each in network.tables(site)),
        *(f"loop device {device} of {disk}" for device, disk in _loops(site)),
        *(f"control group {each}" for each in Cgroup(site.prefix).folders if each.exists()),
        *(f"folder {each}" for name in FOLDERS for each in _entries(site.root / name)),
    ]


def _mounts(site: Site) -> list[str]:
    points = (line.split()[4] for line in MOUNTS.read_text().splitlines())
    return [each for each in points if each.startswith(f"{site.root}/guests/")]


def _interfaces(site: Site) -> list[str]:
    names = (each.name for each in _entries(network.INTERFACES))
    return [each for each in names if each.startswith(site.veth_prefix) or each == site.bridge]


def _namespaces(site: Site) -> list[str]:
    return [each.name for each in _entries(network.NAMESPACES) if each.name.startswith(f"{site.prefix}-")]


def _loops(site: Site) -> list[tuple[str, str]]:
    return [(device, disk) for device, disk in volumes.loops() if Path(disk).is_relative_to(site.root)]


def _entries(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()
