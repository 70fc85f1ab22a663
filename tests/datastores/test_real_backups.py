"""Every datastore's backups on real guests: taken of primaries and replicas, added to, and restored elsewhere."""

import time
from collections.abc import Iterator

import pytest

from chalicelib.datastores.accounts import User
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.backing_up import Backup, Restore
from tests.datastores.clients import CLIENTS, Client, eventually
from tests.datastores.real_cluster import RealCluster
from tests.datastores.scripted_store import ScriptedStore, store_at
from tests.datastores.visitors import VISITORS

pytestmark = pytest.mark.guests

ANN, PASSWORD = "ann", "opensesame"
LIMIT_SECONDS = 30.0
BULK = 3_000  # rows that fill some parts


@pytest.fixture(scope="module")
def store(provider: NspawnProvider) -> Iterator[ScriptedStore]:
    with store_at(str(provider.site.gateway)) as store:
        yield store


@pytest.fixture(scope="module", params=["redis", "mysql"])
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
    assert taken.read_bytes > 0
    assert taken.of_bytes > 0
    assert store.object(backup.backup_id).startswith(b"age-encryption.org/v1")

    began_at = time.monotonic()
    Restore(other, store, (backup.piece(),)).restore()
    print(f"\n{cluster.datastore}: restored in {time.monotonic() - began_at:.1f} s")

    assert_serves(other, ["born"])


def test_a_primarys_backup_and_what_was_added_since_are_restored(
    cluster: RealCluster, other: RealCluster, store: ScriptedStore
) -> None:
    rows, backups = ["born"], [Backup(cluster, store, cluster.primary)]
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
    assert_serves(other, rows)


def assert_serves(other: RealCluster, rows: list[str]) -> None:
    """All rows and users are there, only this cluster's passwords open it, and a replica can follow it."""
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
