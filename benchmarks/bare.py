"""The script that provisioning is measured against: given the very files our manager renders, and timed."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import site
from chalicelib.datastores.base import Passwords
from chalicelib.datastores.redis import RedisManager
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.providers.nspawn import disks, host, network, removal
from chalicelib.providers.nspawn.site import Site

HERE = Path(__file__).parent
LIMIT_SECONDS = 300


@contextmanager
def made(image: str, size: int) -> Iterator[float]:
    """Make a cluster by the script and yield how many seconds it took; then remove it."""
    place = Site.of(site.CONFIG)
    network.ensure(place)
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        lay_files(folder / "files")
        try:
            yield _timed(folder, place, image, size)
        finally:
            _remove(folder, place)
            network.ensure(place)  # as it was: ours does not make it anew for each cluster either


def lay_files(folder: Path) -> None:
    """Write what `RedisManager.prepare` would lay on the guest of a primary, but for its own scripts."""
    named = {"datastore": site.DATASTORE, "manager": site.DATASTORE, "version": site.VERSION}
    manager = RedisManager(Datastore(**named, packages=[site.PACKAGE]))
    instance = Instance(instance_id="bare", memory_mib=site.MEMORY_MIB)
    passwords = Passwords("root" * 8, "copy" * 8)
    folder.mkdir()
    for file in [*manager.files(instance, passwords), *manager.parameter_files(instance, {})]:
        if file.path.endswith((".conf", ".acl")):
            (folder / Path(file.path).name).write_text(file.text)
    (folder / "password").write_text(passwords.replication)


def _timed(folder: Path, place: Site, image: str, size: int) -> float:
    environment = {
        "PATH": host.PATH,
        "PREFIX": place.prefix,  # so that what removes the site's guests removes these
        "VETH": place.veth_prefix,
        "BRIDGE": place.bridge,
        "NETWORK": str(place.gateway).rpartition(".")[0],
        "GUESTS": str(place.root / "guests"),
        "LAYERS": ":".join(str(each) for each in disks.layers(place, image)),
        "MEMORY_BYTES": str(site.MEMORY_MIB << 20),
        "VOLUME_GIB": str(site.VOLUME_GIB),
        "PACKAGE": site.PACKAGE,
        "GUEST_SCRIPT": str(HERE / "bare_install.sh"),
        "FOLLOW_SCRIPT": str(HERE / "bare_follow.sh"),
    }
    began = time.monotonic()
    ended = subprocess.run(
        ["bash", str(HERE / "bare_cluster.sh"), str(size)],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    seconds = time.monotonic() - began
    if ended.returncode:
        kept = Path(shutil.copytree(folder, site.FOLDER / "bare-failed", dirs_exist_ok=True))
        raise SystemExit(f"The script failed: {ended.stderr[-500:]}; its logs are in {kept}.")
    return seconds


def _remove(folder: Path, place: Site) -> None:
    for control in folder.glob("10.*"):
        subprocess.run(["ssh", "-q", "-o", f"ControlPath={control}", "-O", "exit", "guest"], check=False)
    removal.remove_everything(place)
    if left := removal.everything_left(place):
        raise SystemExit("\n".join(f"left behind by the script: {each}" for each in left))
