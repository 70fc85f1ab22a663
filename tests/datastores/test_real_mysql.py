"""MariaDB on real guests, where it differs from what all datastores are held to."""

from collections.abc import Iterator

import pytest

from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.clients import CLIENTS, MySQLClient, eventually
from tests.datastores.real_cluster import RealCluster

pytestmark = pytest.mark.guests

SECONDS_TO_FOLLOW = 30.0


@pytest.fixture
def cluster(provider: NspawnProvider) -> Iterator[RealCluster]:
    """A primary and a replica."""
    cluster = RealCluster(provider, "mysql", "debian-12-golden")
    try:
        cluster.provision(cluster.add_members(2))
        cluster.start_primary()
        cluster.join(cluster.replicas)
        yield cluster
    finally:
        cluster.destroy()


def client_of(cluster: RealCluster, position: int) -> MySQLClient:
    client = CLIENTS["mysql"](str(cluster.members[position].address), cluster.passwords.root)
    assert isinstance(client, MySQLClient)
    return client


def test_a_replica_whose_recovery_wrote_an_event_of_its_own_follows_again(cluster: RealCluster) -> None:
    """As after a crash in the middle of the primary's DDL, which recovery ends and logs as the replica's own."""
    primary, replica = client_of(cluster, 0), client_of(cluster, 1)
    primary.create()
    eventually(lambda: replica.read("none") is None, SECONDS_TO_FOLLOW)
    own = "mariadb --execute 'STOP REPLICA; CREATE TABLE shop.more (name VARCHAR(64) PRIMARY KEY); START REPLICA'"
    cluster.run(cluster.replicas[0], own)
    primary._execute("CREATE TABLE shop.more (name VARCHAR(64) PRIMARY KEY)")
    primary.write("word", "well")
    stopped = (
        "until mariadb --execute 'SHOW REPLICA STATUS\\G' | grep --quiet 'Last_SQL_Errno: 1950'; do sleep 0.1; done"
    )
    cluster.run(cluster.replicas[0], stopped)

    cluster.run(cluster.replicas[0], "systemctl restart mariadb")

    eventually(lambda: replica.read("word") == "well", SECONDS_TO_FOLLOW)
    primary._execute("INSERT INTO shop.more VALUES ('also')")
    eventually(lambda: replica._execute("SELECT name FROM shop.more") == (("also",),), SECONDS_TO_FOLLOW)
