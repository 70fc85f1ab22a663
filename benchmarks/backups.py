"""Backups: how fast a guest sends one, beside the engine's tool and zstd alone on the same guest in the same run.

python -m benchmarks.backups [MiB]
"""

import base64
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from statistics import median
from typing import LiteralString

from benchmarks.figures import Figure, Of, Section, tell
from benchmarks.sink import Sink, sink_at
from chalicelib.config import Config
from chalicelib.datastores.backups import Piece, Restoring, Taking
from chalicelib.ssh.guest import Guest, UnitState
from local import images
from tests.datastores.clients import RedisClient
from tests.datastores.real_cluster import RealCluster, guests_of

ABOUT = """\
One guest of 4 GiB and two processors for each datastore, on a volume of 8 GiB. The baseline is the raw pipe: the
engine's tool and zstd, to a file of the guest's own. Ours is all of a backup, from its unit's start to its end: the
same two, encrypted, in parts of 16 MiB with their checksums, over HTTP to a store in memory on this very machine, whose
processors it shares. Medians of three, by turns. Restoring is all of it too: until the datastore serves.
"""
ROUNDS = 3
PART_BYTES = 2**24
PARTS = 200
MOST_RATIO = 1 / 0.9
FLAVOR, MEMORY_MIB, VOLUME_GIB = "4", 4096, 8
LIMIT_SECONDS = 600
MIB = 2**20
RAW: dict[str, LiteralString] = {
    "mysql": "mariadb-backup --backup --stream=mbstream --target-dir=/var/tmp/raw.d 2>/var/tmp/raw.log",
    "postgresql": "runuser -u postgres -- pg_basebackup -D - -Ft -X fetch --checkpoint=fast --no-manifest",
    "redis": "/opt/dtrove/ask-redis --rdb - 2>/dev/null",
}
# Hexadecimal digits of hashes: zstd makes a half of them.
FILL: dict[str, LiteralString] = {
    "mysql": """for first in $(seq 0 51200 $(({rows} - 1))); do echo "INSERT INTO words SELECT $first + seq,
        CONCAT(SHA2($first + seq, 512), SHA2($first + seq + .1, 512), SHA2($first + seq + .2, 512),
        SHA2($first + seq + .3, 512), SHA2($first + seq + .4, 512), SHA2($first + seq + .5, 512),
        SHA2($first + seq + .6, 512)) FROM seq_1_to_51200;"
        done | mariadb --init-command "SET SESSION sql_log_bin = 0; CREATE DATABASE bench; USE bench;
        CREATE TABLE words (id INT PRIMARY KEY, word TEXT)" """,
    "postgresql": """cd / && runuser -u postgres -- psql -q -c "CREATE TABLE words AS SELECT each AS id,
        (SELECT string_agg(encode(sha512((each::text || part)::bytea), 'hex'), '') FROM generate_series(1, 7) AS part)
        AS word FROM generate_series(1, {rows}) AS each" -c CHECKPOINT""",
}


def measure(size_mib: int) -> Section:
    figures: list[Figure] = []
    root = Path(Config.dtrove_nspawn_root)
    with redirect_stdout(sys.stderr):
        images.build(root)
    with tempfile.TemporaryDirectory() as folder, guests_of(Path(folder), "dtrovebench", "10.79.9.0/24") as provider:
        for datastore in RAW:
            cluster = RealCluster(provider, datastore, images.GOLDEN, volume_gib=VOLUME_GIB)
            (instance,) = cluster.add_members(1)
            instance.flavor_id, instance.memory_mib = FLAVOR, MEMORY_MIB
            with provided(cluster), sink_at(str(provider.site.gateway)) as sink:
                fill(cluster, size_mib)
                figures += measured(cluster, sink)
    return Section("Backups", ABOUT, tuple(figures))


@contextmanager
def provided(cluster: RealCluster) -> Iterator[None]:
    try:
        cluster.provision(cluster.members)
        cluster.start_primary()
        yield
    finally:
        cluster.destroy()


def fill(cluster: RealCluster, size_mib: int) -> None:
    if cluster.datastore == "redis":
        client = RedisClient(str(cluster.primary.address), cluster.passwords.root)
        for number in range(size_mib):
            client.write(f"key-{number}", base64.b16encode(os.urandom(MIB // 2)).decode())
        return
    with cluster.guest(cluster.primary) as guest:
        guest.start("fill", FILL[cluster.datastore], rows=size_mib * 1024)
        await_unit(guest, "fill")
        guest.run("sync")


def measured(cluster: RealCluster, sink: Sink) -> Iterator[Figure]:
    raw, ours, restored = [], [], []
    for number in range(ROUNDS):
        raw.append(raw_seconds(cluster))
        seconds, piece, read_bytes = backup(cluster, sink, f"b-{number}")
        ours.append(seconds)
        if number == 0:
            restored.append(restore(cluster, sink, piece))
        sink.parts.clear()
        tell(f"{cluster.datastore}: raw {raw[-1]:.1f} s, ours {ours[-1]:.1f} s, restored in {restored[0]:.1f} s")
    speed = read_bytes / MIB / median(ours)
    name, note = f"backups.{cluster.datastore}", f"{read_bytes / MIB:.0f} MiB, {speed:.0f} MiB/s"
    yield Figure(f"{name}.taken", median(ours), "s", median(raw), MOST_RATIO, Of.RATIO, note)
    yield Figure(f"{name}.restored", restored[0], "s", note=f"{read_bytes / MIB / restored[0]:.0f} MiB/s")


def raw_seconds(cluster: RealCluster) -> float:
    cluster.run(cluster.primary, "rm -rf /var/tmp/raw*")
    pipe = f"set -o pipefail; {RAW[cluster.datastore]} | zstd --quiet -3 >/var/tmp/raw.zst"
    return timed(cluster, "raw", "cd / && bash -c {pipe}", pipe=pipe)


def backup(cluster: RealCluster, sink: Sink, backup_id: str) -> tuple[float, Piece, int]:
    instance, manager = cluster.primary, cluster.manager
    key = cluster.run(instance, "rm -rf /var/tmp/raw*; sync; age-keygen 2>/dev/null").split()
    with cluster.guest(instance) as guest:
        began = time.monotonic()
        taking = Taking(backup_id, key[key.index("key:") + 1], PART_BYTES)
        manager.begin_backup(instance, guest, taking, sink.part_urls(backup_id, PARTS))
        await_unit(guest, f"dtrove-backup-{backup_id}")
        seconds = time.monotonic() - began
        taken = manager.backup_progress(guest, backup_id)
        manager.end_backup(guest, backup_id)
    return seconds, Piece(backup_id, taken.parts, key[-1]), taken.read_bytes


def restore(cluster: RealCluster, sink: Sink, piece: Piece) -> float:
    url = sink.gather(piece.backup_id, len(piece.parts))
    instance, manager = cluster.primary, cluster.manager
    with cluster.guest(instance) as guest:
        began = time.monotonic()
        manager.begin_restore(instance, guest, Restoring("r-1", (piece,)), {piece.backup_id: url})
        await_unit(guest, "dtrove-restore-r-1")
        seconds = time.monotonic() - began
        manager.end_restore(guest, "r-1")
    return seconds


def timed(cluster: RealCluster, unit: str, command: LiteralString, **words: str) -> float:
    with cluster.guest(cluster.primary) as guest:
        began = time.monotonic()
        guest.start(unit, command, **words)
        await_unit(guest, unit)
        seconds = time.monotonic() - began
        guest.forget(unit)
    return seconds


def await_unit(guest: Guest, unit: str) -> None:
    if guest.state(unit, wait_seconds=LIMIT_SECONDS) is not UnitState.SUCCEEDED:
        raise SystemExit(f"{unit} did not succeed: {guest.output(unit)}")


if __name__ == "__main__":
    print(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1200).to_json())
