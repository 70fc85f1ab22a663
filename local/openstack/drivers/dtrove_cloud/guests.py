"""A guest: a server's folder on this host, its processes, its place in the network and its volumes."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import groups, host
from .host import NAMESPACES, STATE, run

FOLDER = STATE / "guests"
RUNNER = Path(__file__).with_name("run-guest.sh")
HALT = signal.SIGRTMIN + 3  # systemd's word: start halt.target
STARTING_SECONDS = 15
LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True)
class Attached:
    device: str  # in the guest
    loop: str
    volume_id: str
    file: str


class Guest:
    def __init__(self, server_id: str) -> None:
        self.server_id = server_id
        self.folder = FOLDER / server_id
        self.root = self.folder / "root"
        self.name = host.namespace_of(server_id)

    # --- what is known of it
    @property
    def exists(self) -> bool:
        return (self.folder / "record.json").exists()

    @property
    def record(self) -> dict[str, Any]:
        """What nova-compute noted: the compute it is on, Nova's name for it, what its root disk is made of."""
        found: dict[str, Any] = json.loads((self.folder / "record.json").read_text())
        return found

    def note(self, **changes: Any) -> None:
        new = self.folder / ".record.json.new"
        known = self.record if self.exists else {}
        new.write_text(json.dumps(known | changes))
        new.rename(self.folder / "record.json")

    def make(self, **known: str) -> None:
        (self.folder / "by-id").mkdir(parents=True, exist_ok=True)
        for name in ("volumes", "console.log", "addresses.sh"):
            (self.folder / name).write_text("")
        self.note(**known)

    def remove(self) -> None:
        groups.remove(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- its processes
    @property
    def is_alive(self) -> bool:
        return bool(groups.processes(self.name))

    def start(self, hostname: str, memory_mib: int) -> None:
        """Start it unless it runs. It outlives the nova-compute that did."""
        if self.is_alive:
            return
        self.mount()
        self._save(Attached(each.device, loop_of(each.file), each.volume_id, each.file) for each in self.attached())
        entrances = groups.ensure(self.name, memory_mib)
        words = (RUNNER, self.folder, self.name, hostname, self.server_id, *entrances)
        with (self.folder / "runner.log").open("ab") as log:
            command = ("setsid", "--fork", "sh", *map(str, words))
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
        deadline = time.monotonic() + STARTING_SECONDS
        while groups.leader(self.name) is None:
            if time.monotonic() > deadline:
                raise host.CommandError(f"{self.name} did not start: {(self.folder / 'runner.log').read_text()[-500:]}")
            time.sleep(LOOK_AGAIN_SECONDS)

    def stop(self, seconds: float) -> None:
        """Power it off: in order if it makes that within the time, else as by a power cut."""
        deadline = time.monotonic() + seconds
        if (leader := groups.leader(self.name)) and seconds:
            os.kill(leader, HALT)
            while self.is_alive and time.monotonic() < deadline:
                time.sleep(LOOK_AGAIN_SECONDS)
        groups.kill(self.name)

    def inside(self, script: str) -> None:
        """Run the script among the guest's mounts and processes, if it runs."""
        if leader := groups.leader(self.name):
            run("nsenter", "-t", leader, "-m", "-p", "sh", "-c", script)

    # --- its root disk: an overlay on an unpacked image, or a volume
    def mount(self) -> None:
        if self.root.is_mount():
            return
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir(exist_ok=True)
        record = self.record
        if record.get("root_volume"):
            run("mount", loop_of(record["root_volume"]), self.root)
        else:
            options = f"lowerdir={record['image']},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
            run("mount", "-t", "overlay", "overlay", "-o", options, self.root)

    def unmount(self) -> None:
        if self.root.is_mount():
            run("umount", "--lazy", self.root)

    # --- its network
    def ensure_namespace(self) -> None:
        if not (NAMESPACES / self.name).exists():
            run("ip", "netns", "add", self.name)
            run("ip", "-n", self.name, "link", "set", "lo", "up")
            (self.folder / "addresses.sh").write_text("")

    def plug(self, port_id: str, mac: str, network_id: str, addresses: list[str], gateway: str | None) -> None:
        """Have the port's wire, from the namespace to the network's bridge, cut if the port is down."""
        link = host.link_of(port_id)
        if (host.INTERFACES / link).exists():
            return
        number = run("ip", "-n", self.name, "-o", "link").count(": eth")
        inner = f"eth{number}"
        run("ip", "link", "add", link, "type", "veth", "peer", "name", inner, "address", mac, "netns", self.name)
        run("ip", "link", "set", link, "master", host.ensure_bridge(network_id))
        lines = [f"ip -n {self.name} link set {inner} up"]
        lines += [f"ip -n {self.name} addr replace {each} dev {inner}" for each in addresses]
        if gateway and not number:
            lines.append(f"ip -n {self.name} route replace default via {gateway}")
        run("sh", "-ec", "\n".join(lines))
        with (self.folder / "addresses.sh").open("a") as script:  # for a reboot from inside
            script.write("\n".join(lines) + "\n")
        host.set_link(port_id, up=host.is_link_wanted(port_id))

    def unplug_all(self, port_ids: Iterable[str]) -> None:
        """A server that is off answers nothing, and forgets addresses that were added while it ran."""
        for port_id in port_ids:
            unplug(port_id)
        host.attempt("ip", "netns", "delete", self.name)

    # --- its volumes: a line of the file for each, which the runner reads
    def attached(self) -> list[Attached]:
        return [Attached(*line.split()) for line in (self.folder / "volumes").read_text().splitlines()]

    def attach(self, device: str, volume_id: str, file: str) -> None:
        loop = loop_of(file)
        others = [each for each in self.attached() if each.device != device]
        self._save([*others, Attached(device, loop, volume_id, file)])
        stable = self.folder / "by-id" / f"virtio-{volume_id[:20]}"
        stable.unlink(missing_ok=True)
        stable.symlink_to(f"../../{Path(device).name}")
        self.inside(f"umask 117; test -b {device} || mknod {device} b 7 {loop.removeprefix('/dev/loop')}")

    def detach(self, device: str) -> None:
        for each in [each for each in self.attached() if each.device == device]:
            self._save(other for other in self.attached() if other.device != device)
            (self.folder / "by-id" / f"virtio-{each.volume_id[:20]}").unlink(missing_ok=True)
            is_mounted = f"awk '$5 == \"{device}\" {{f=1}} END {{exit !f}}' /proc/self/mountinfo"
            self.inside(f"{is_mounted} && umount -l {device}; rm -f {device}")
            host.attempt("losetup", "--detach", each.loop)

    def drop_volumes(self) -> None:
        for each in self.attached():
            host.attempt("losetup", "--detach", each.loop)
        if root := self.record.get("root_volume"):
            host.attempt("losetup", "--detach", loop_of(root))
        self._save([])
        shutil.rmtree(self.folder / "by-id", ignore_errors=True)
        (self.folder / "by-id").mkdir()

    def _save(self, volumes: Iterable[Attached]) -> None:
        text = "".join(" ".join(asdict(each).values()) + "\n" for each in volumes)
        (self.folder / "volumes").write_text(text)


def all_guests() -> list[Guest]:
    return [each for each in (Guest(folder.name) for folder in FOLDER.iterdir()) if each.exists]


def unplug(port_id: str) -> None:
    host.attempt("ip", "link", "delete", host.link_of(port_id))


def see_growth(file: str) -> None:
    run("losetup", "--set-capacity", loop_of(file))


def loop_of(file: str) -> str:
    """Return the loop device of the file, making it if there is none."""
    return run("losetup", "-j", file).partition(":")[0] or run("losetup", "--show", "--find", file).strip()
