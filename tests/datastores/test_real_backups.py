"""Every datastore's backups on real guests: taken of primaries and replicas, added to, and restored elsewhere."""

import base64
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chalicelib.datastores.accounts import User
from chalicelib.datastores.postgresql.manager import PSQL
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.backing_up import Backup, Restore, until
from tests.datastores.clients import CLIENTS, REFUSALS, Client, eventually
from tests.datastores.real_cluster import RealCluster
from tests.datastores.scripted_store import ScriptedStore, store_at
from tests.datastores.visitors import VISITORS

pytestmark = pytest.mark.guests

ANN, PASSWORD = "ann", "opensesame"
LIMIT_SECONDS = 30.0
OF_A_SERVER_THAT_WENT = {
    "mysql": "Lost connection|gone away|connect",
    "postgresql": "connection|terminated",
}

OF_A_GAP = {
    "mysql": "This incremental backup seems not to be proper",
    "postgresql": "The log ends before .* is missing",
}


@pytest.fixture(scope="module")
def store(provider: NspawnProvider) -> Iterator[ScriptedStore]:
    with store_at(str(provider.site.gateway)) as store:
        yield store


@pytest.fixture(scope="module", params=["redis", "mysql", "postgresql"])
def cluster(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """A primary and a replica, with a user and a row."""
    cluster = RealCluster(provider, request.param, "debian-12-golden")
    try:
        cluster.provision(cluster.add_members(2))
        cluster.start_primary()
        cluster.join(cluster.replicas)
        client_of(cluster).create()
        client_of(cluster).write("born", "well")
        for instance in cluster.members[: 1 if cluster.manager.accounts.is_replicated else None]:
            with cluster.guest(instance) as guest:
                cluster.manager.accounts.create_users(guest, [User(ANN, password=PASSWORD)])
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture
def other(cluster: RealCluster, provider: NspawnProvider) -> Iterator[RealCluster]:
    """A new cluster, whose passwords are others; a replica may join it."""
    other = RealCluster(provider, cluster.datastore, "debian-12-golden")
    try:
        other.provision(other.add_members(1))
        other.start_primary()
        yield other
    finally:
        other.destroy()


def client_of(cluster: RealCluster, number: int = 0) -> Client:
    return CLIENTS[cluster.datastore](str(cluster.members[number].address), cluster.passwords.root)


def test_a_replicas_backup_is_restored_into_another_cluster(
    cluster: RealCluster, other: RealCluster, store: ScriptedStore
) -> None:
    backup = Backup(cluster, store, cluster.replicas[0])
    taken = backup.take()
    assert taken.position
    assert taken.server_version
    assert taken.read_bytes > len(store.object(backup.backup_id))
    assert taken.of_bytes > 0
    assert store.object(backup.backup_id).startswith(b"age-encryption.org/v1")

    began_at = time.monotonic()
    Restore(other, store, (backup.piece(),)).restore()
    print(f"\n{cluster.datastore}: restored in {time.monotonic() - began_at:.1f} s")

    assert_serves(other, ["born"], cluster.passwords.root)


def test_a_primarys_backup_and_what_was_added_since_are_restored(
    cluster: RealCluster, other: RealCluster, store: ScriptedStore
) -> None:
    rows, backups = ["born"], [Backup(cluster, store, cluster.primary)]
    with written_on(cluster) as acknowledged:
        position = backups[0].take().position
    for number in range(2 if cluster.manager.supports_incremental_backups else 0):
        rows.append(f"row-{number}-{backups[0].backup_id}")
        client_of(cluster).write(rows[-1], "well")
        backups.append(Backup(cluster, store, cluster.primary, since=position))
        position = backups[-1].take().position
    client_of(cluster).write(f"late-{backups[0].backup_id}", "well")

    restore = Restore(other, store, tuple(each.piece() for each in backups))
    restore.restore()

    assert client_of(other).read(f"late-{backups[0].backup_id}") is None
    if len(backups) > 1:  # what was written meanwhile is in what was added
        rows += acknowledged
    else:  # what was written before the copy began, and of the rest a beginning
        there = [client_of(other).read(each) is not None for each in acknowledged]
        assert there == sorted(there, reverse=True)
    assert_serves(other, rows, cluster.passwords.root)


@pytest.mark.parametrize("cluster", ["mysql", "postgresql"], indirect=True, scope="module")
def test_a_database_that_stops_in_the_middle_is_told(cluster: RealCluster, store: ScriptedStore) -> None:
    """It waits for addresses in the middle, which is more than fits into the pipe, until the database is gone."""
    primary = cluster.primary
    for number in range(100):
        client_of(cluster).write(f"bulk-{number}", base64.b64encode(os.urandom(36_000)).decode())
    backup = Backup(cluster, store, primary, part_bytes=2**17)
    backup.begin(parts=range(1, 2))
    until(backup.look, lambda taken: len(taken.parts) == 1)
    with cluster.guest(primary) as guest:
        guest.run("systemctl kill --signal=KILL {service}", service=cluster.manager.service_name)

    backup.hand_over(parts=range(2, 5_000))

    assert re.search(OF_A_SERVER_THAT_WENT[cluster.datastore], backup.failed())
    backup.end()
    cluster.until_done(lambda: cluster.run(primary, "/opt/dtrove/service start"))
    eventually(lambda: client_of(cluster).read("born") == "well", LIMIT_SECONDS)


@pytest.mark.parametrize("cluster", ["mysql", "postgresql"], indirect=True, scope="module")
def test_what_was_changed_since_a_backup_of_other_data_is_refused(cluster: RealCluster, store: ScriptedStore) -> None:
    position = Backup(cluster, store, cluster.primary).take().position
    backup = Backup(cluster, store, cluster.replicas[0], since=position)

    backup.begin()

    assert "is of other data than this instance has by now: take a full" in backup.failed()
    assert store.parts[backup.backup_id] == {}


@pytest.mark.parametrize("cluster", ["mysql", "postgresql"], indirect=True, scope="module")
def test_a_chain_with_a_gap_is_refused(cluster: RealCluster, other: RealCluster, store: ScriptedStore) -> None:
    backups = [Backup(cluster, store, cluster.primary)]
    for number in range(2):
        position = backups[-1].take().position
        client_of(cluster).write(f"gap-{number}-{backups[0].backup_id}", "well")
        backups.append(Backup(cluster, store, cluster.primary, since=position))
        cluster.until_done(
            lambda: cluster.run(cluster.primary, "/opt/dtrove/service restart")
        )  # else it may not be one
    backups[-1].take()
    restore = Restore(other, store, (backups[0].piece(), backups[-1].piece()))

    restore.begin()

    assert re.search(OF_A_GAP[cluster.datastore], restore.failed())
    with pytest.raises(REFUSALS):
        client_of(other).read("born")


@pytest.mark.parametrize("cluster", ["postgresql"], indirect=True, scope="module")
def test_a_log_that_is_gone_is_told_before_anything_is_sent(cluster: RealCluster, store: ScriptedStore) -> None:
    position = Backup(cluster, store, cluster.primary).take().position
    write_log(cluster)
    assert Backup(cluster, store, cluster.primary, since=position).take().position  # it was kept
    with cluster.guest(cluster.primary) as guest:
        guest.run(PSQL, stdin="SELECT pg_drop_replication_slot('dtrove_backup');\n")
    write_log(cluster)
    backup = Backup(cluster, store, cluster.primary, since=position)

    backup.begin()

    assert backup.failed().endswith("The log since the former backup is gone: take a full backup.")
    assert store.parts[backup.backup_id] == {}


def write_log(cluster: RealCluster) -> None:
    """Have some segments of the log written, and what nobody keeps thrown away."""
    segment = "SELECT pg_logical_emit_message(false, 'dtrove', 'word'), pg_switch_wal();\n"
    with cluster.guest(cluster.primary) as guest:
        guest.run(PSQL, stdin=7 * segment + "CHECKPOINT;\nCHECKPOINT;\n")


@pytest.mark.parametrize("cluster", ["mysql", "postgresql"], indirect=True, scope="module")
def test_a_full_volume_is_told_and_the_next_try_succeeds(
    cluster: RealCluster, other: RealCluster, store: ScriptedStore
) -> None:
    backup = Backup(cluster, store, cluster.primary)
    backup.take()
    restore = Restore(other, store, (backup.piece(),))
    service, folder = other.manager.service_name, other.manager.data_path
    with other.guest(other.primary) as guest:
        small = "systemctl stop {service}; mount -t tmpfs -o size=16k tmpfs {folder}"
        guest.run(small, service=service, folder=folder)
    restore.begin()
    assert re.search("No space left on device|Disk full|No space", restore.failed())
    restore.end()
    with other.guest(other.primary) as guest:
        guest.run("umount {folder}", folder=folder)

    restore.restore()

    assert client_of(other).read("born") == "well"


@contextmanager
def written_on(cluster: RealCluster) -> Iterator[list[str]]:
    """Rows are written all the while; those that the server acknowledged are told."""
    acknowledged: list[str] = []
    is_over = threading.Event()

    def write() -> None:
        while not is_over.is_set():
            key = f"load-{secrets.token_hex(6)}"
            client_of(cluster).write(key, "well")
            acknowledged.append(key)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield acknowledged
    finally:
        is_over.set()
        writer.join()
    assert acknowledged


def assert_serves(other: RealCluster, rows: list[str], former_password: str) -> None:
    """All rows and users are there, root has this cluster's password and no other, and a replica can follow."""
    with pytest.raises(REFUSALS):
        CLIENTS[other.datastore](str(other.primary.address), former_password).read("born")
    client = client_of(other)
    assert {client.read(each) for each in rows} == {"well"}
    client.write("restored", "well")
    with other.guest(other.primary) as guest:
        assert [each.name for each in other.manager.accounts.users(guest)] == [ANN]
        assert other.manager.accounts.is_root_enabled(guest)
    VISITORS[other.datastore](str(other.primary.address), ANN, PASSWORD).come_in()
    other.provision(other.add_members(1))
    other.join(other.replicas)
    eventually(lambda: client_of(other, 1).read("restored") == "well", LIMIT_SECONDS)
