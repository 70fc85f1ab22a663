"""The images of the local guests: a Debian base by mmdebstrap, and over it a layer with the datastores' packages.

An image is a folder: `tree` (its files), `layers` (the images it lies upon, nearest first), `recipe` (a hash of all it
was made from: another hash, and it is built anew).
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib import config

HOST_PACKAGES = ("systemd-container", "mmdebstrap", "nftables", "iproute2", "xfsprogs", "util-linux", "e2fsprogs")
SUITE = "bookworm"
BASE = "debian-12"
BASE_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "ca-certificates", "netbase"),
    *("iproute2", "procps", "util-linux", "zstd", "xfsprogs"),
)
GOLDEN = "debian-12-golden"
GOLDEN_PACKAGES = ("mariadb-server", "mariadb-backup", "postgresql-15", "redis-server", "age", "curl")
RECIPES = Path(__file__).parent / "image_recipes"
APT_DEFAULTS = ("Acquire::Languages", "none"), ("APT::Install-Recommends", "false")
APT_OF_HOST = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")
DEBIAN_SUITE = re.compile(rf"(?<![\w-]){SUITE}(-updates|-security)?(?![\w-]).*?\bmain\b", re.DOTALL)
MOUNTS = Path("/proc/mounts")
# Mounts and processes of its own, that end with whoever builds.
PRIVATE = (
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


def build(root: Path) -> None:
    """Have both images under `root/images`. Present and of this recipe: nothing to do. Cut: run it again.

    An image that servers lie upon stays as it is: changing it would change their disks.
    """
    images = root / "images"
    images.mkdir(parents=True, exist_ok=True)
    with alone(images):
        discard(images.glob(".*.building"))
        sources = debian_sources()
        texts = [each.read_text() for each in sources]
        base_recipe = hash_of(SUITE, *BASE_PACKAGES, apt_options(), *texts, _text("base.sh"))
        ensure_image(images / BASE, base_recipe, [], lambda layer: _build_base(layer, sources))
        golden_recipe = hash_of(base_recipe, *GOLDEN_PACKAGES, _text("golden.sh"))
        ensure_image(images / GOLDEN, golden_recipe, [BASE], lambda layer: _build_golden(layer, images / BASE / "tree"))


def debian_sources(apt: Path = Path("/etc/apt")) -> list[Path]:
    """Return the host's own apt sources of this Debian release, and of nothing else."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    sources = [each for each in files if each.suffix in {".list", ".sources"} and each.is_file()]
    ours = [each for each in sources if DEBIAN_SUITE.search(each.read_text())]
    if not ours:
        sys.exit(f"No apt source of Debian {SUITE} on this host: the guests' image is built from the host's own.")
    return ours


def apt_options() -> str:
    """Return apt's settings for the guest: it reaches the mirror as the host does."""
    options = list(APT_DEFAULTS)
    for name in APT_OF_HOST:
        dump = subprocess.run(["apt-config", "dump", "--format=%v%n", name], text=True, capture_output=True, check=True)
        options += [(name, line) for line in dump.stdout.splitlines() if line]
    return "".join(f'{name} "{value}";\n' for name, value in options)


def _build_base(layer: Path, sources: list[Path]) -> None:
    options = layer / "apt.conf"
    options.write_text(apt_options())
    run(
        *PRIVATE,
        *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", "--format=directory"),
        *(f"--include={','.join(BASE_PACKAGES)}", f"--aptopt={options}"),
        *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"),
        *("--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io"),
        f"--customize-hook={RECIPES / 'base.sh'}",
        *(SUITE, str(layer / "tree")),
        *(str(each) for each in sources),
        log=layer / "log",
    )
    options.unlink()


def _build_golden(layer: Path, base: Path) -> None:
    run(*PRIVATE, str(RECIPES / "golden.sh"), str(base), str(layer), *GOLDEN_PACKAGES, log=layer / "log")


def ensure_image(folder: Path, recipe: str, layers: list[str], fill: Callable[[Path], None]) -> None:
    """Have the image: built in a folder beside it and moved into place when it is whole."""
    if (folder / "recipe").is_file():
        is_current = (folder / "recipe").read_text() == recipe
        if is_current or _has_servers(folder):
            print(f"image {folder.name}: present{'' if is_current else ', of an older recipe, and in use'}")
            return
    print(f"image {folder.name}: building …", flush=True)
    began_at = time.monotonic()
    building = folder.with_name(f".{folder.name}.building")
    building.mkdir()
    fill(building)
    (building / "layers").write_text("".join(f"{each}\n" for each in layers))
    (building / "recipe").write_text(recipe)
    discard([folder])
    building.rename(folder)
    print(f"image {folder.name}: built in {time.monotonic() - began_at:.0f} s", flush=True)


def _has_servers(folder: Path) -> bool:
    """Say whether a server of any site lies upon the image."""
    return f"{folder}/tree" in MOUNTS.read_text() or any(folder.parent.parent.glob("guests/*/record.json"))


def run(*command: str, log: Path) -> None:
    with log.open("w") as output:
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, cwd="/")
    if ended.returncode:
        last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-30:])
        sys.exit(f"{last_lines}\nThe image could not be built (status {ended.returncode}).")


def discard(folders: Iterator[Path] | list[Path]) -> None:
    for folder in folders:
        if folder.exists():
            doomed = folder.with_name(f".{folder.name.strip('.')}.{os.getpid()}.building")
            folder.rename(doomed)
            shutil.rmtree(doomed)


@contextmanager
def alone(images: Path) -> Iterator[None]:
    with (images / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def hash_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _text(recipe: str) -> str:
    return (RECIPES / recipe).read_text()


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else config.current().dtrove_nspawn_root))
