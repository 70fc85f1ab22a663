"""Glance's images on this host: each unpacked once, for all guests that lie upon it."""

import fcntl
import shutil
from pathlib import Path
from typing import Any

from nova.image import glance

from .host import STATE, run

FOLDER = STATE / "image-cache"


def tree_of(context: Any, image_id: str) -> Path:
    """Return the image's files, fetched and unpacked if need be."""
    tree = FOLDER / image_id
    with (FOLDER / f"{image_id}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.is_dir():
            new, archive = tree.with_suffix(".new"), tree.with_suffix(".tar")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            try:
                glance.API().download(context, image_id, dest_path=str(archive))
                unpack(archive, new)
            finally:
                archive.unlink(missing_ok=True)
            new.rename(tree)
    return tree


def unpack(archive: Path, folder: Path) -> None:
    """Tar sees itself whether the archive is compressed."""
    run("tar", "-C", folder, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xf", archive)
