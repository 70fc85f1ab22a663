"""Every datastore's logs on real guests: written, switched, turned over and read; none holds a secret of ours."""

import base64
import re
from collections.abc import Iterator, Mapping

import pytest

from chalicelib.datastores.accounts import Database, User
from chalicelib.datastores.applying import apply_parameters
from chalicelib.datastores.logs import Log, files_of, last_lines, read_piece
from chalicelib.datastores.parameters import Value
from chalicelib.errors import CommandFailed, Permanent
from chalicelib.models.instance import Instance
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.on_offer import PACKAGES
from tests.datastores.real_cluster import RealCluster, guests_of

pytestmark = pytest.mark.guests

PASSWORD, OTHER = "correct-horse-battery", "staple-battery-horse"
HASHES = re.compile(r"\*[0-9A-F]{40}|SCRAM-SHA-256|[0-9a-f]{64}")
TALKATIVE: Mapping[str, Mapping[str, Value]] = {  # from birth on: all that a customer may have logged
    "mysql": {
        "general_log": True,
        "slow_query_log": True,
        "long_query_time": 0.0,
        "log_queries_not_using_indexes": True,
        "log_slow_admin_statements": True,
    },
    "postgresql": {
        "log_statement": "all",
        "log_min_duration_statement": "0",
        "log_min_duration_sample": "0",
        "log_statement_sample_rate": 1.0,
        "log_transaction_sample_rate": 1.0,
        "log_min_error_statement": "debug5",
        "debug_print_parse": True,
        "debug_print_rewritten": True,
        "debug_print_plan": True,
        "log_duration": True,
    },
    "redis": {"loglevel": "debug"},
}
ODD = b"\0\xff\xfe odd; $(reboot) 'q' \xe2\x98\x83"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    with guests_of(tmp_path_factory.mktemp("nspawn"), "dtrovelogs0", "10.79.14.0/24") as provider:
        yield provider


class Talkative(RealCluster):
    """Its servers log all they can, from their first start on."""

    def prepare(self, instance: Instance) -> None:
        with self.guest(instance) as guest:
            self.manager.prepare(instance, guest, self.passwords, TALKATIVE[self.datastore])


@pytest.fixture(scope="module", params=PACKAGES)
def cluster(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """A primary and a replica that serve, and have had users and root changed."""
    cluster = Talkative(provider, request.param, "debian-12-golden", volume_gib=None)
    try:
        cluster.provision(cluster.add_members(2))
        cluster.start_primary()
        cluster.join(cluster.replicas)
        yield cluster
    finally:
        cluster.destroy()


def written(cluster: RealCluster, instance: Instance) -> dict[str, str]:
    """Return all that an instance's logs hold, by the log's name."""
    user = cluster.manager.service_user
    with cluster.guest(instance) as guest:
        return {
            name: b"".join(read_piece(guest, user, each, 0, each.size) for each in files).decode(errors="replace")
            for name, files in files_of(guest, cluster.manager.logs).items()
        }


def own(cluster: RealCluster) -> Log:
    return cluster.manager.logs[0]


def test_no_log_holds_a_secret_however_much_is_logged(cluster: RealCluster) -> None:
    accounts, ann = cluster.manager.accounts, User("ann", password=PASSWORD)
    with cluster.guest(cluster.primary) as guest:
        if accounts.is_replicated:
            accounts.create_databases(guest, [Database("shop")])
        accounts.create_users(guest, [ann])
        accounts.change_user(guest, ann, User("ann", password=OTHER))
        accounts.enable_root(guest, OTHER)
        accounts.disable_root(guest)
        accounts.drop_user(guest, ann)

    for instance in cluster.members:
        for name, text in written(cluster, instance).items():
            assert text or name == "slow_query", (instance.role, name)
            for secret in (PASSWORD, OTHER, cluster.passwords.root, cluster.passwords.replication):
                assert secret not in text, (instance.role, name)
            assert [each for each in text.splitlines() if HASHES.search(each)] == [], (instance.role, name)


def test_it_is_turned_over_without_the_loss_of_a_byte(cluster: RealCluster) -> None:
    log, user = own(cluster), cluster.manager.service_user
    turn = "sed -i 's/^most=.*/most={most}/' /opt/dtrove/turn-logs && systemctl start dtrove-logs"
    with cluster.guest(cluster.primary) as guest:
        odd = base64.b64encode(ODD).decode()
        guest.run("printf %s {odd} | base64 --decode >>{path}", odd=odd, path=log.path)
        (before,) = files_of(guest, [log])[log.name][-1:]
        guest.run(turn, most=before.size)
        guest.run("sed -i 's/^most=.*/most=33554432/' /opt/dtrove/turn-logs")
        ask = {
            "mysql": "mariadb --execute 'SELECT 1'",
            "postgresql": "cd / && runuser -u postgres -- psql -c 'SELECT 1'",
        }
        guest.run(ask.get(cluster.datastore, "/opt/dtrove/ask-redis BGREWRITEAOF; sleep 0.5"))
        older, newer = files_of(guest, [log])[log.name]
        whole = read_piece(guest, user, older, 0, older.size)
        lines = last_lines(guest, user, log, 1_000)

    assert (older.generation, older.path) == (before.generation, f"{log.path}.1")
    assert older.size >= before.size
    assert newer.generation > older.generation
    assert newer.size > 0
    assert ODD in whole
    assert any("odd; $(reboot)" in each for each in lines)


def test_who_is_the_server_sees_no_more_by_a_link_in_its_place(cluster: RealCluster) -> None:
    log, user = own(cluster), cluster.manager.service_user
    with cluster.guest(cluster.primary) as guest:
        guest.run("rm -f {path}.1 && runuser -u {user} -- ln -s /etc/shadow {path}.1", path=log.path, user=user)
        link = files_of(guest, [log])[log.name][0]
        with pytest.raises(CommandFailed, match=r"[Pp]ermission denied"):
            read_piece(guest, user, link, 0, 1_000)
        assert not any("root:" in each for each in last_lines(guest, user, log, 1_000))
        guest.run("systemctl start dtrove-logs && rm -f {path}.1", path=log.path)
        assert guest.run("stat --format=%s /etc/shadow").strip() != "0"


def test_a_configuration_group_wins_and_what_was_switched_comes_back(cluster: RealCluster) -> None:
    manager, log = cluster.manager, own(cluster)
    if log.switch is None:
        assert cluster.datastore == "redis"  # its one log is always on
        return
    name = log.switch.parameter
    with cluster.guest(cluster.primary) as guest:
        with pytest.raises(Permanent, match=f"{name} is set by the instance's configuration group"):
            manager.switch_log(cluster.primary, guest, log, on=False)
        apply_parameters(manager.live_parameters(), cluster.primary, guest, {})
        assert manager.switched_on(guest)[log.name] is False
        manager.switch_log(cluster.primary, guest, log, on=True)
        apply_parameters(manager.live_parameters(), cluster.primary, guest, {name: log.switch.off})
        assert manager.switched_on(guest)[log.name] is False
        apply_parameters(manager.live_parameters(), cluster.primary, guest, {})
        assert manager.switched_on(guest)[log.name] is True

    for action, on in (("restart", True), ("off", False)):
        with cluster.guest(cluster.primary) as guest:
            if action == "off":
                manager.switch_log(cluster.primary, guest, log, on=False)
        restart(cluster, f"{action}-logs")
        with cluster.guest(cluster.primary) as guest:
            assert manager.switched_on(guest)[log.name] is on


def restart(cluster: RealCluster, run_id: str) -> None:
    def again() -> None:
        with cluster.guest(cluster.primary) as guest:
            cluster.manager.restart(cluster.primary, guest, run_id)

    cluster.until_done(again)
