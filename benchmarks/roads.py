"""Roads: what a guest costs to reach through a jump host, beside the same guest straight away."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Of, Section, percentile
from chalicelib.config import Config
from chalicelib.errors import Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.removal import remove_everything
from chalicelib.providers.nspawn.site import Site
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.keys import draw_key
from chalicelib.ssh.own_keys import OwnKeys
from local import images

ABOUT = """\
Two `nspawn` guests on one bridge; the second is the jump host. *connect* is all of it: TCP, key exchange, the host
key compared, log-in with an ed25519 key, and closing again; of a jump host all of that twice, one inside the other.
*command* is `true` over an open connection. Medians of 40, straight and through the jump host by turns; the notes have
the 90th percentile. The baselines are the straight road's. There is no latency here: in the world a jump adds the
round trips of its own connection, a dozen.
"""
ROUNDS = 40
MOST_RATIO = 3.0
BOOT_SECONDS = 60.0
KEY = draw_key()
STRAIGHT = Config(dtrove_prefix="", dtrove_nspawn_network="10.79.81.0/24")


def measure() -> Section:
    with guests() as (guest, jump_host):
        through = replace(
            STRAIGHT,
            dtrove_jump_host=str(jump_host.address),
            dtrove_jump_user=str(jump_host.user),
            dtrove_jump_host_key=jump_host.host_key,
            dtrove_jump_secret="jump",  # noqa: S106 - a name
        )
        roads = STRAIGHT, through
        connects = by_turns([lambda road=road: reached(guest, road).close() for road in roads])
        with closing(reached(guest, STRAIGHT)) as straight, closing(reached(guest, through)) as far:
            commands = by_turns([lambda on=on: on.run("true") for on in (straight, far)])
    return Section("Reaching a guest", ABOUT, (*figures("connect", connects), *figures("command", commands)))


def figures(what: str, seconds: list[list[float]]) -> Iterator[Figure]:
    straight, jump = ([1000 * each for each in values] for values in seconds)
    yield Figure(f"roads.{what}.straight", median(straight), "ms", note=f"p90 {percentile(straight, 90):.1f}")
    note = f"p90 {percentile(jump, 90):.1f}"
    yield Figure(f"roads.{what}.jump", median(jump), "ms", median(straight), MOST_RATIO, Of.RATIO, note)


def by_turns(works: list[Callable[[], object]]) -> list[list[float]]:
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, taken in zip(works, seconds, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return seconds


OWN_KEYS = OwnKeys(lambda _name: json.dumps({"private_key": KEY.private}))


def reached(guest: Instance, settings: Config) -> SshGuest:
    return SshGuest.connect(guest, KEY.private, settings=settings, own_keys=OWN_KEYS)


@contextmanager
def guests() -> Iterator[list[Instance]]:
    with redirect_stdout(sys.stderr):
        images.build(Path(STRAIGHT.dtrove_nspawn_root))
    with tempfile.TemporaryDirectory() as folder:
        network = IPv4Network(STRAIGHT.dtrove_nspawn_network)
        site = Site(Path(folder), Path(STRAIGHT.dtrove_nspawn_root) / "images", "dtroveroads1", network)
        try:
            yield [born(NspawnProvider(site), name) for name in ("guest", "jump")]
        finally:
            remove_everything(site)


def born(provider: NspawnProvider, name: str) -> Instance:
    host_key = draw_key()
    instance = Instance(instance_id=name, cluster_id=name, flavor_id="1", memory_mib=512)
    provider.create(instance, Birth(images.BASE, "root", KEY.public, host_key.public, host_key.private))
    end = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            reached(instance, STRAIGHT).close()
            return instance
        except Transient:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    print(measure().to_json())
