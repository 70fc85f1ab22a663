"""This host: commands, and the names that the network's two sides (Nova's and Neutron's) both know."""

import json
import os
import subprocess
from pathlib import Path

STATE = Path(os.environ.get("DTROVE_CLOUD_STATE", "/nonexistent"))
INTERFACES = Path("/sys/class/net")
NAMESPACES = Path("/run/netns")
WANTED_LINKS = STATE / "network/links.json"  # port → is it to be up; written by Neutron's side
IFF_UP = 1


class CommandError(Exception):
    """A command failed; the message has the end of what it wrote."""


def run(*command: object, stdin: str = "") -> str:
    """Return what the command wrote. Raises CommandError."""
    words = [str(each) for each in command]
    ended = subprocess.run(words, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ended.returncode:
        raise CommandError(f"{' '.join(words)}: {ended.stdout[-500:]}")
    return ended.stdout


def attempt(*command: object) -> None:
    """Run what may have been done before."""
    subprocess.run([str(each) for each in command], stdin=subprocess.DEVNULL, capture_output=True, check=False)


def bridge_of(network_id: str) -> str:
    return f"dob{network_id[:11]}"


def link_of(port_id: str) -> str:
    """Return the host's end of the port's wire."""
    return f"dop{port_id[:11]}"


def namespace_of(server_id: str) -> str:
    return f"dog-{server_id[:8]}"


def ensure_bridge(network_id: str) -> str:
    bridge = bridge_of(network_id)
    if not (INTERFACES / bridge).exists():
        attempt("ip", "link", "add", bridge, "type", "bridge")  # the other side may be quicker
    run("ip", "link", "set", bridge, "up")
    return bridge


def set_link(port_id: str, *, up: bool) -> None:
    """Have the wire carry packets or not, whatever the guest does: its end loses its carrier."""
    try:
        flags = int((INTERFACES / link_of(port_id) / "flags").read_text(), 16)
    except OSError:  # the server is off
        return
    if bool(flags & IFF_UP) != up:
        attempt("ip", "link", "set", link_of(port_id), "up" if up else "down")


def is_link_wanted(port_id: str) -> bool:
    try:
        wanted: dict[str, bool] = json.loads(WANTED_LINKS.read_text())
    except FileNotFoundError:
        return True
    return wanted.get(port_id, True)
