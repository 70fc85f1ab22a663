"""What the cloud is made of: Debian packages, OpenStack from PyPI in an environment of its own, and our drivers."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local.openstack.site import CACHE, ENVIRONMENT

HERE = Path(__file__).parent
PATH = f"{ENVIRONMENT / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
REQUIREMENTS = HERE / "requirements.txt"
DNS_REQUIREMENTS = HERE / "dns-requirements.txt"
DRIVERS = HERE / "drivers"
HOST_PACKAGES = HERE.parents[1] / ".ci" / "host-packages"
UV = "uv==0.13.9"  # pip needs three times as long for 190 packages
TOOLS = {  # by the Debian package that has it
    "mariadb-server-core": "mariadbd",
    "mariadb-client": "mariadb-dump",
    "rabbitmq-server": "rabbitmq-server",
    "systemd-container": "systemd-nspawn",
    "mmdebstrap": "mmdebstrap",
    "nftables": "nft",
    "iproute2": "ip",
    "procps": "sysctl",
    "kmod": "modprobe",
    "util-linux": "losetup",
    "e2fsprogs": "mkfs.ext4",
    "xfsprogs": "mkfs.xfs",
    "zstd": "zstd",
}


def ensure_host() -> None:
    """Have the Debian packages, installing those that are not there. Exits if that cannot be."""
    if (missing := _missing()) and os.geteuid() == 0:
        with _nothing_started():
            subprocess.run([HOST_PACKAGES, *missing], check=False)
    if missing := _missing():
        sys.exit(f"The cloud needs Debian packages, and root: apt-get install {' '.join(missing)}.")


def _missing() -> list[str]:
    return [package for package, tool in TOOLS.items() if shutil.which(tool, path=PATH) is None]


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Have apt start no service: the cloud runs its own RabbitMQ, apart from that of the machine."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():  # somebody else has forbidden it
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()
        if Path("/run/systemd/system").is_dir():  # nor when the machine starts again
            units = ("rabbitmq-server.service", "epmd.service", "epmd.socket")
            subprocess.run(["systemctl", "--quiet", "disable", *units], capture_output=True, check=False)


def ensure() -> None:
    """Have OpenStack and the drivers. Present: nothing to do."""
    CACHE.mkdir(parents=True, exist_ok=True)
    _once("environment", [REQUIREMENTS], _install)
    _once("drivers", sorted(DRIVERS.rglob("*.*")), _install_drivers)


def ensure_dns() -> None:
    """Have Designate beside them."""
    _once(
        "dns",
        [DNS_REQUIREMENTS],
        lambda: run("uv", "pip", "install", "-q", "--no-deps", "-r", str(DNS_REQUIREMENTS)),
    )


def _once(name: str, sources: list[Path], install: Callable[[], None]) -> None:
    """Do it again only if what it is made of has changed."""
    mark = ENVIRONMENT / f"{name}.made-of"
    made_of = key_of(sources)
    if not mark.is_file() or mark.read_text() != made_of:
        install()
        mark.write_text(made_of)


def key_of(sources: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(each.read_bytes() for each in sources if each.is_file())).hexdigest()[:12]


def _install() -> None:
    print("Python packages of OpenStack: installing …", flush=True)
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    run("pip", "install", "-qq", "--disable-pip-version-check", UV)
    run("uv", "pip", "install", "-q", "-r", str(REQUIREMENTS))


def _install_drivers() -> None:
    # A copy: setuptools builds where its sources are.
    copy = CACHE / "drivers"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(DRIVERS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    run("uv", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--reinstall", "--no-cache", str(copy))
    # Nova knows drivers below its own package only.
    package = next(ENVIRONMENT.glob("lib/python3*/site-packages/nova/virt"))
    (package / "dtrove_cloud.py").write_text("from dtrove_cloud.compute import NspawnDriver  # noqa\n")


def run(*command: str) -> None:
    """Run a program of the environment. Exits with what it said if it fails."""
    environment = os.environ | {"PATH": PATH, "VIRTUAL_ENV": str(ENVIRONMENT)}
    ended = subprocess.run(command, env=environment, text=True, capture_output=True, check=False, cwd="/")
    if ended.returncode:
        sys.exit(f"{' '.join(command)}:\n{(ended.stdout + ended.stderr)[-2000:]}")
