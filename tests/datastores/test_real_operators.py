"""On real guests: what is told of a server's process, and our own statements where a customer's are cut short."""

from collections.abc import Iterator

import pytest

from chalicelib.datastores.accounts import Database, User
from chalicelib.datastores.diagnostics import diagnose, hardware
from chalicelib.errors import Permanent
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.on_offer import PACKAGES
from tests.datastores.real_cluster import RealCluster, guests_of

pytestmark = pytest.mark.guests

GOLDEN = "debian-12-golden"
VERSIONS = {"mysql": "10.11.", "postgresql": "15.", "redis": "7.0."}
NAMES = {"mysql": "mariadbd", "postgresql": "postgres", "redis": "redis-server"}
CUTTING = ("statement_timeout", "lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    with guests_of(tmp_path_factory.mktemp("nspawn"), "dtroveoper0", "10.79.15.0/24") as provider:
        yield provider


def serving(provider: NspawnProvider, datastore: str) -> Iterator[RealCluster]:
    cluster = RealCluster(provider, datastore, GOLDEN, volume_gib=None)
    try:
        cluster.provision(cluster.add_members(1))
        cluster.start_primary()
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture(params=PACKAGES)
def cluster(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    yield from serving(provider, request.param)


@pytest.fixture
def postgresql(provider: NspawnProvider) -> Iterator[RealCluster]:
    yield from serving(provider, "postgresql")


def test_a_server_and_its_process_are_told(cluster: RealCluster) -> None:
    manager = cluster.manager
    service, pid_path = manager.service_name, manager.pid_path
    with cluster.guest(cluster.primary) as guest:
        machine, told = hardware(guest), diagnose(guest, service, manager.service_user, pid_path)
        resident = guest.run("ps -o rss= -C {name} --sort=start_time | head --lines=1", name=NAMES[cluster.datastore])

        assert machine["num_cpus"] >= 1
        assert machine["mem_total"] > int(resident)
        assert str(told["version"]).startswith(VERSIONS[cluster.datastore]), told
        assert int(told["threads"]) >= 1
        assert 0 < int(told["vmRss"]) <= int(told["vmHwm"]) <= int(told["vmPeak"])
        assert abs(int(told["vmRss"]) - int(resident)) < int(resident) // 4

        guest.run("systemctl stop {service}", service=service)
        with pytest.raises(Permanent, match="does not run"):
            diagnose(guest, service, manager.service_user, pid_path)


def test_what_cuts_a_customer_s_statements_short_cuts_none_of_ours(postgresql: RealCluster) -> None:
    manager, values = postgresql.manager, dict.fromkeys(CUTTING, "1ms")
    with postgresql.guest(postgresql.primary) as guest:
        assert manager.apply_parameters(postgresql.primary, guest, values) == frozenset()
        with pytest.raises(Permanent, match=r"(idle-session|statement) timeout"):
            guest.run("runuser -u postgres -- psql --no-psqlrc --set=ON_ERROR_STOP=1", stdin="SELECT pg_sleep(1)")

        manager.accounts.create_databases(guest, [Database("shop")])
        manager.accounts.create_users(guest, [User("ann", databases=("shop",), password="correct horse")])
        assert [each.name for each in manager.accounts.databases(guest)] == ["shop"]
        assert [each.databases for each in manager.accounts.users(guest)] == [("shop",)]
        assert manager.accounts.is_root_enabled(guest)
        assert manager.actual_parameters(guest, ["statement_timeout"]) == {"statement_timeout": "1ms"}
    postgresql.provision(postgresql.add_members(1))
    postgresql.join(postgresql.replicas)
    with postgresql.guest(postgresql.primary) as guest:
        manager.drop_replica(guest, postgresql.replicas[0])
        manager.accounts.drop_database(guest, "shop")
        manager.accounts.drop_user(guest, User("ann"))
        assert manager.apply_parameters(postgresql.primary, guest, {}) == frozenset()
