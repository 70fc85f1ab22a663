"""Cinder's driver: a volume is a sparse file, a snapshot its copy, a boot volume a file system with an image's tree."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from cinder import exception, interface
from cinder.volume import configuration, driver
from oslo_config import cfg

from .host import run

OPTIONS = [cfg.StrOpt("dtrove_folder")]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)
CAPACITY_GIB = 1_000


@interface.volumedriver
class FileDriver(driver.VolumeDriver):
    VERSION = "1"
    CI_WIKI_NAME = "none"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.configuration.append_config_values(OPTIONS)
        self.folder = Path(self.configuration.dtrove_folder)

    def do_setup(self, context: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def check_for_setup_error(self) -> None:
        """There is nothing to be wrong."""

    def _file(self, volume_or_snapshot: Any) -> Path:
        return self.folder / str(volume_or_snapshot.name)

    # --- volumes
    def create_volume(self, volume: Any) -> None:
        _grow(self._file(volume), volume.size)

    def delete_volume(self, volume: Any) -> None:
        self._file(volume).unlink(missing_ok=True)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        _grow(self._file(volume), new_size)

    def create_cloned_volume(self, volume: Any, source: Any) -> None:
        _copy(self._file(source), self._file(volume), volume.size)

    # --- snapshots
    def create_snapshot(self, snapshot: Any) -> None:
        _copy(self._file(snapshot.volume), self._file(snapshot), snapshot.volume_size)

    def delete_snapshot(self, snapshot: Any) -> None:
        self._file(snapshot).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        _copy(self._file(snapshot), self._file(volume), volume.size)

    # --- images
    def clone_image(
        self, context: Any, volume: Any, image_location: Any, image_meta: Any, image_service: Any
    ) -> tuple[dict[str, Any], bool]:
        """Make the volume of the image. Cinder's own way is to copy what qemu-img knows: no archive."""
        file = self._file(volume)
        _grow(file, volume.size)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            with (folder / "image.tar").open("wb") as archive:
                image_service.download(context, image_meta["id"], archive)
            _fill(file, folder / "image.tar", folder / "root")
        finally:
            shutil.rmtree(folder)
        return {}, True

    def copy_volume_to_image(self, context: Any, volume: Any, image_service: Any, image_meta: Any) -> None:
        raise exception.InvalidVolume(reason="this cloud makes no images of volumes")

    # --- connections: a compute on this host opens the file
    def initialize_connection(self, volume: Any, connector: Any) -> dict[str, Any]:
        return {
            "driver_volume_type": "local",
            "data": {"device_path": str(self._file(volume)), "access_mode": "rw"},
        }

    def terminate_connection(self, volume: Any, connector: Any, **options: Any) -> None:
        """Nova lets the file go."""

    def ensure_export(self, context: Any, volume: Any) -> None:
        """There is nothing to export."""

    def create_export(self, context: Any, volume: Any, connector: Any) -> None:
        """As above."""

    def remove_export(self, context: Any, volume: Any) -> None:
        """As above."""

    def _update_volume_stats(self) -> None:
        pool = {
            "pool_name": "files",
            "total_capacity_gb": CAPACITY_GIB,
            "free_capacity_gb": CAPACITY_GIB,
            "provisioned_capacity_gb": 0,
            "reserved_percentage": 0,
            "max_over_subscription_ratio": 20.0,
            "thin_provisioning_support": True,
        }
        self._stats = {
            "volume_backend_name": "files",
            "vendor_name": "dtrove",
            "driver_version": "1",
            "storage_protocol": "file",
            "pools": [pool],
        }


def _grow(file: Path, gib: int) -> None:
    with file.open("ab") as volume:
        volume.truncate(max(gib << 30, file.stat().st_size))


def _copy(source: Path, target: Path, gib: int) -> None:
    run("sync", "--file-system", source)
    run("cp", "--sparse=always", "--reflink=auto", source, target)
    _grow(target, gib)


def _fill(file: Path, archive: Path, mount_point: Path) -> None:
    """Make a file system in the volume with the archive's tree in it."""
    run("mkfs.ext4", "-qF", "-E", "lazy_itable_init=1,lazy_journal_init=1", file)
    mount_point.mkdir()
    run("mount", "-o", "loop", file, mount_point)
    try:
        run("tar", "-C", mount_point, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xf", archive)
    finally:
        run("umount", mount_point)
