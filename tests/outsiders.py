"""Outsiders: somebody with an address of their own who comes to this host over a wire, and knows no other way."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256

ROUTER = "169.254.99.1"  # this host, as they see it
PATIENCE_SECONDS = 1.5


@dataclass(frozen=True)
class Outsider:
    address: str
    namespace: str

    def at_work(self, *command: str) -> "subprocess.Popen[str]":
        """Start the command as them."""
        inside = ["ip", "netns", "exec", self.namespace, *command]
        pipe = subprocess.PIPE
        return subprocess.Popen(inside, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def reaches(self, address: str, port: int) -> bool:
        """Say whether something answers them there: a refusal is no answer either."""
        shake_hands = f"exec 3<>/dev/tcp/{address}/{port}"
        with self.at_work("timeout", str(PATIENCE_SECONDS), "bash", "-c", shake_hands) as process:
            return process.wait() == 0


@contextmanager
def outsider(address: str) -> Iterator[Outsider]:
    name = f"dto{sha256(f'{address} {os.getpid()}'.encode()).hexdigest()[:9]}"
    _remove(name)
    try:
        _ip("netns", "add", name)
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("addr", "add", f"{ROUTER}/32", "dev", name)
        _ip("link", "set", name, "up")
        _ip("route", "add", f"{address}/32", "dev", name)
        for words in (
            ("addr", "add", f"{address}/32", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", f"{ROUTER}/32", "dev", "eth0"),
            ("route", "add", "default", "via", ROUTER),
        ):
            _ip("-n", name, *words)
        yield Outsider(address, name)
    finally:
        _remove(name)


def _remove(name: str) -> None:
    for words in (("link", "delete", name), ("netns", "delete", name)):
        with suppress(subprocess.CalledProcessError):
            _ip(*words)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
