"""The host's own part of the cloud's networks: the bridge that is the outside of all routers, and forwarding."""

import subprocess
import sys
from pathlib import Path

from local.openstack.site import OUTSIDE, PUBLIC_GATEWAY, PUBLIC_NETWORK

KERNEL = Path("/proc/sys/net")
INOTIFY_INSTANCES = 1024  # the default of 128 is used up by 20 guests
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")


def ensure() -> None:
    if not (KERNEL / "bridge").exists():
        run("modprobe", "br_netfilter")  # what passes a bridge passes the rules, too
    (KERNEL / "bridge/bridge-nf-call-iptables").write_text("1")
    (KERNEL / "ipv4/ip_forward").write_text("1")
    if int(INOTIFY_LIMIT.read_text()) < INOTIFY_INSTANCES:
        INOTIFY_LIMIT.write_text(str(INOTIFY_INSTANCES))
    if not (Path("/sys/class/net") / OUTSIDE).exists():
        run("ip", "link", "add", OUTSIDE, "type", "bridge")
    run("ip", "addr", "replace", f"{PUBLIC_GATEWAY}/{PUBLIC_NETWORK.partition('/')[2]}", "dev", OUTSIDE)
    run("ip", "link", "set", OUTSIDE, "up")


def run(*command: str) -> str:
    ended = subprocess.run(command, text=True, capture_output=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}: {ended.stderr}")
    return ended.stdout
