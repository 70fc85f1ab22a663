"""PostgreSQL: what the manager tells guests, word for word."""

import re

import pytest

from chalicelib.datastores.base import Passwords
from chalicelib.datastores.postgresql.manager import PSQL, PostgresManager
from chalicelib.datastores.postgresql.scram import scram_verifier
from chalicelib.errors import NotReady
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest

PASSFILE = "/etc/postgresql/15/main/replication.pgpass"


@pytest.fixture
def manager() -> PostgresManager:
    return PostgresManager(version_of("postgresql"))


def test_shared_buffers_are_a_quarter_of_memory(manager: PostgresManager, primary: Instance) -> None:
    assert "shared_buffers = 1024MB\n" in manager.render_config_file(primary)


@pytest.mark.parametrize(("volume_gib", "kept_mib"), [(10, 2560), (None, 2048)])
def test_a_replica_that_is_away_cannot_fill_the_primary(
    manager: PostgresManager, primary: Instance, volume_gib: int | None, kept_mib: int
) -> None:
    primary.volume_gib = volume_gib

    assert f"max_slot_wal_keep_size = {kept_mib}MB\n" in manager.render_config_file(primary)


def test_a_version_finds_its_own_folders() -> None:
    datastore = version_of("postgresql")
    datastore.version = "16.3"

    manager = PostgresManager(datastore)

    assert (manager.service_name, manager.config_path) == ("postgresql@16-main", "/etc/postgresql/16/main")


def test_nobody_comes_in_from_the_network_without_a_password(
    manager: PostgresManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    rules = [line.split() for line in guest.files["/etc/postgresql/15/main/pg_hba.conf"].splitlines() if line[0] != "#"]
    assert [rule for rule in rules if rule[0] == "host"] == [
        ["host", "all", "all", "all", "scram-sha-256"],
        ["host", "replication", "replication", "all", "scram-sha-256"],
    ]
    assert {rule[0]: rule[3] for rule in rules if rule[0] == "local" and rule[2] == "postgres"} == {"local": "peer"}


def test_prepare_lays_down_configuration_and_scripts(
    manager: PostgresManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    assert guest.permissions == {
        "/etc/postgresql/15/main/parameters.conf": "0644 root:root",
        "/etc/postgresql/15/main/pg_hba.conf": "0644 root:root",
        "/etc/postgresql/15/main/postgresql.conf": "0644 root:root",
        "/etc/systemd/system/dtrove-logs.service": "0644 root:root",
        "/etc/systemd/system/dtrove-logs.timer": "0644 root:root",
        "/etc/systemd/system/multi-user.target.d/dtrove.conf": "0644 root:root",
        "/etc/systemd/system/postgresql@15-main.service.d/dtrove.conf": "0644 root:root",
        "/opt/dtrove/prepare": "0700 root:root",
        "/opt/dtrove/replica-state": "0700 root:root",
        "/opt/dtrove/service": "0700 root:root",
        "/opt/dtrove/turn-logs": "0700 root:root",
    }


def test_accounts_are_made_from_verifiers(manager: PostgresManager, primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest({PSQL: ""})

    manager.start_primary(primary, guest, passwords)
    manager.start_primary(primary, guest, passwords)

    root = scram_verifier(passwords.root, "c-1 root")
    replication = scram_verifier(passwords.replication, "c-1 replication")
    assert guest.script == 2 * [
        f"{PSQL} <<< ALTER ROLE postgres PASSWORD '{root}';\n"
        "SELECT 'CREATE ROLE replication' WHERE NOT EXISTS"
        " (SELECT FROM pg_roles WHERE rolname = 'replication') \\gexec\n"
        f"ALTER ROLE replication LOGIN REPLICATION PASSWORD '{replication}';\n"
    ]


def test_a_verifier_is_the_same_each_time_and_another_for_another_cluster() -> None:
    verifier = scram_verifier("pencil", "c-1 root")

    assert verifier.startswith("SCRAM-SHA-256$4096:")
    assert verifier == scram_verifier("pencil", "c-1 root") != scram_verifier("pencil", "c-2 root")


def test_a_replica_has_a_slot_and_a_password_file_before_it_copies(
    manager: PostgresManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest, primary_guest = FakeGuest(), FakeGuest({PSQL: ""})

    with pytest.raises(NotReady):
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)

    (made,) = primary_guest.script
    assert "pg_create_physical_replication_slot('dtrove_i_2')" in made
    assert "WHEN duplicate_object THEN NULL" in made
    assert guest.files[PASSFILE] == "*:*:*:replication:ReplReplReplReplReplReplReplRepl\n"
    assert guest.permissions[PASSFILE] == "0600 postgres:postgres"
    assert guest.script == ["dtrove-seed: /opt/dtrove/seed"]


def test_a_replica_that_leaves_loses_its_slot(manager: PostgresManager, replica: Instance) -> None:
    primary_guest = FakeGuest({PSQL: ""})

    manager.drop_replica(primary_guest, replica)

    (told,) = primary_guest.script
    assert "pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'dtrove_i_2'" in told


def test_who_asks_a_server_that_starts_is_no_reason_why_it_does_not() -> None:
    noise = re.compile(PostgresManager.log_noise)

    assert noise.search("2026-11-24 19:32:27.177 UTC [641] root@root FATAL:  the database system is starting up")
    assert not noise.search("2026-11-24 19:32:27 UTC [640] FATAL:  recovery aborted: insufficient parameter settings")
