"""A guest's own disk: a writable layer over its image, and what it is born with written on it."""

import os
import pwd
from itertools import chain
from pathlib import Path

from chalicelib.errors import ProviderError
from chalicelib.providers.base import Birth
from chalicelib.providers.nspawn import host
from chalicelib.providers.nspawn.records import ServerRecord
from chalicelib.providers.nspawn.site import SAFE_NAME, Site, short_hash

RESOLVERS = Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf")  # the first names no loopback address
PRIVATE, READABLE = 0o600, 0o644


def layers(site: Site, image: str) -> list[Path]:
    """Return the trees of the image, topmost first. Raises ProviderError if there is no such image."""
    folder = site.images / image
    if not SAFE_NAME.fullmatch(image) or not (folder / "tree").is_dir():
        raise ProviderError(f"There is no image {image}; there are {', '.join(_images(site)) or 'none'}.")
    below = (folder / "layers").read_text().split()
    return [folder / "tree", *chain.from_iterable(layers(site, each) for each in below)]


def mount(site: Site, server: ServerRecord) -> Path:
    """Have the guest's tree mounted; return where."""
    folder = site.guest(server.instance_id)
    for name in ("upper", "work", "root"):
        (folder / name).mkdir(exist_ok=True)
    tree = folder / "root"
    if not tree.is_mount():
        lower = ":".join(str(each) for each in layers(site, server.image))
        options = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        host.run("mount", "-t", "overlay", server.machine, "-o", options, str(tree))
    return tree


def unmount(tree: Path) -> None:
    while tree.is_mount():
        host.run("umount", "--lazy", str(tree))


def write_birth(tree: Path, server: ServerRecord, birth: Birth) -> None:
    """Write who the guest is and who may log in. Only before its first boot: later its tree is not to be trusted."""
    home = _home_of(tree, birth.user)
    _write(tree / "etc/hostname", f"{server.machine}\n")
    _write(tree / "etc/hosts", f"127.0.0.1 localhost\n{server.address} {server.machine}\n")
    _write(tree / "etc/machine-id", f"{short_hash(server.instance_id, 32)}\n", 0o444)
    _write(tree / "etc/resolv.conf", next(each for each in RESOLVERS if each.exists()).read_text())
    _write(tree / "etc/ssh/ssh_host_ed25519_key", birth.host_key_private.rstrip() + "\n", PRIVATE)
    owner = home.stat()
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    _write(home / ".ssh/authorized_keys", birth.authorized_key.rstrip() + "\n", PRIVATE)
    for path in (home / ".ssh", home / ".ssh/authorized_keys"):
        os.chown(path, owner.st_uid, owner.st_gid)


def _home_of(tree: Path, user: str) -> Path:
    """Return the user's home in the guest, making a user who may become root."""
    if user == "root":
        return tree / "root"
    if not any(line.startswith(f"{user}:") for line in (tree / "etc/passwd").read_text().splitlines()):
        host.run("useradd", "--root", str(tree), "--create-home", "--shell", "/bin/bash", user)
    _write(tree / "etc/sudoers.d/dtrove", f"{user} ALL=(ALL:ALL) NOPASSWD:ALL\n", 0o440)
    entry = next(line for line in (tree / "etc/passwd").read_text().splitlines() if line.startswith(f"{user}:"))
    return tree / pwd.struct_passwd(entry.split(":")).pw_dir.lstrip("/")


def _write(path: Path, text: str, mode: int = READABLE) -> None:
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "w") as writer:
        writer.write(text)


def _images(site: Site) -> list[str]:
    return sorted(each.parent.name for each in site.images.glob("[!.]*/tree"))
