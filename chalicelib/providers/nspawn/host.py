"""This host: what it must offer, and the commands run on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from chalicelib.errors import ProviderError, Transient

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # a Lambda's own has no sbin
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C.UTF-8"}  # nothing of the caller's: that holds credentials
PACKAGE_OF = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nft": "nftables",
    "setsid": "util-linux",
    "losetup": "mount",
    "mount": "mount",
    "useradd": "passwd",
}
COMMAND_TIMEOUT_SECONDS = 60


@cache
def check() -> None:
    """Raises ProviderError where no nspawn machine can run."""
    if what := lacking(sys.platform, os.geteuid(), PATH):
        raise ProviderError(f"The nspawn provider needs {what}.")


def lacking(platform: str, user_id: int, path: str) -> str | None:
    """Return what a host would have to be or have, if it is not so."""
    if platform != "linux":
        return "Linux: its servers share the host's kernel"
    if user_id != 0:
        return "root: it mounts file systems and makes network interfaces"
    missing = [f"{tool} (package {name})" for tool, name in PACKAGE_OF.items() if not shutil.which(tool, path=path)]
    return ", ".join(missing) or None


def run(*command: str, stdin: str = "", pass_fds: Sequence[int] = ()) -> str:
    """Return the command's standard output. Raises ProviderError with the end of its standard error."""
    try:
        ended = subprocess.run(  # noqa: S603 - a list, and no shell
            command,
            input=stdin,
            text=True,
            capture_output=True,
            check=False,
            timeout=COMMAND_TIMEOUT_SECONDS,
            cwd="/",
            env=ENVIRONMENT,
            pass_fds=pass_fds,
        )
    except subprocess.TimeoutExpired as error:
        raise Transient(f"{command[0]} did not end within {COMMAND_TIMEOUT_SECONDS} s.") from error
    if ended.returncode:
        raise ProviderError(f"{' '.join(command[:4])} … failed: {ended.stderr.strip()[-500:]}")
    return ended.stdout
