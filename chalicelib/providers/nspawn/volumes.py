"""Volumes: sparse files on loop devices, seen by their guest as /dev/vdb."""

import os
import stat
from pathlib import Path

from chalicelib.providers.nspawn import host
from chalicelib.providers.nspawn.records import VolumeRecord, replace
from chalicelib.providers.nspawn.site import Site

DEVICE = "/dev/vdb"
BLOCK_DEVICES = Path("/sys/block")


def ensure_disk(site: Site, volume: VolumeRecord) -> None:
    """Have the volume's file of at least its size: it never shrinks."""
    disk = site.volume(volume.instance_id) / "disk"
    size = volume.size_gib << 30
    with disk.open("ab") as file:
        if os.fstat(file.fileno()).st_size < size:
            os.truncate(file.fileno(), size)


def bind(site: Site, volume: VolumeRecord | None) -> str | None:
    """Write down for the runner which device goes into the guest, if any; return it."""
    if volume is None or not volume.is_attached:
        return None
    ensure_disk(site, volume)
    disk = site.volume(volume.instance_id) / "disk"
    device = loop_of(disk) or host.run("losetup", "--find", "--show", str(disk)).strip()
    replace(site.guest(volume.instance_id) / "device", f"{device}\n")
    return device


def refresh(disk: Path) -> None:
    """Let the loop device see that its file has grown."""
    if device := loop_of(disk):
        host.run("losetup", "--set-capacity", device)


def release(disk: Path) -> bool:
    """Free the loop device. True once it is free: while a guest has it mounted it stays."""
    if device := loop_of(disk):
        host.run("losetup", "--detach", device)
    return loop_of(disk) is None


def loop_of(disk: Path) -> str | None:
    return next((device for device, backing in loops() if backing == str(disk)), None)


def loops() -> list[tuple[str, str]]:
    """Return each loop device in use with the file behind it."""
    found = []
    for file in BLOCK_DEVICES.glob("loop*/loop/backing_file"):
        try:
            found.append((f"/dev/{file.parts[-3]}", file.read_text().strip().removesuffix(" (deleted)")))
        except OSError:  # freed meanwhile
            continue
    return found


def plug(process: int, device: str) -> None:
    """Have the device appear in the running guest of this init.

    By a descriptor of its root, following no link: the guest's inside is not to be trusted, so nothing of it is run.
    """
    number = os.stat(device).st_rdev
    dev = _dev_of(process)
    try:
        try:
            there = os.stat("vdb", dir_fd=dev, follow_symlinks=False)
            if stat.S_ISBLK(there.st_mode) and there.st_rdev == number:
                return
            os.unlink("vdb", dir_fd=dev)
        except FileNotFoundError:
            pass
        os.mknod("vdb", stat.S_IFBLK | 0o660, number, dir_fd=dev)
    finally:
        os.close(dev)


def unplug(process: int) -> None:
    """Take the device out of the running guest: a bind mount of its boot, or a node that was plugged."""
    dev = _dev_of(process)
    try:
        os.unlink("vdb", dir_fd=dev)
    except FileNotFoundError:
        pass
    finally:
        os.close(dev)


def _dev_of(process: int) -> int:
    root = os.open(f"/proc/{process}/root", os.O_PATH | os.O_DIRECTORY)
    try:
        return os.open("dev", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=root)
    finally:
        os.close(root)
