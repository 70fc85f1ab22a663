"""MariaDB: what the manager tells guests, word for word."""

import subprocess

import pytest

from chalicelib.datastores.base import Passwords
from chalicelib.datastores.mysql.manager import MySQLManager
from chalicelib.datastores.mysql.native_password import native_password_hash
from chalicelib.errors import NotReady
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest

ACCOUNTS = "/opt/dtrove/service await </dev/null && mariadb"
UNLOGGED = (
    "-- No secret gets into the general or the slow log.\nSET SESSION sql_log_off = ON, long_query_time = 31536000;\n"
)
DISMISS = "/opt/dtrove/replica-access dismiss i-2"
KEY = "ssh-ed25519 AAAAseedkey \n"


@pytest.fixture
def manager() -> MySQLManager:
    return MySQLManager(version_of("mysql"))


@pytest.fixture
def oracle() -> MySQLManager:
    return MySQLManager(Datastore(datastore="mysql", version="8.0", manager="mysql", packages=["mysql-server"]))


@pytest.mark.parametrize(
    ("packages", "service_name"),
    [
        (["mariadb-server", "mariadb-backup"], "mariadb"),
        (["default-mysql-server"], "mariadb"),
        (["mysql-server"], "mysql"),
        (["mysql-community-server"], "mysql"),
        (["mysql-server-8.0"], "mysql"),
    ],
)
def test_the_packages_say_whose_mysql_it_is(packages: list[str], service_name: str) -> None:
    datastore = Datastore(datastore="mysql", version="8.0", manager="mysql", packages=packages)

    assert MySQLManager(datastore).service_name == service_name


def test_innodb_gets_seven_tenths_of_memory(manager: MySQLManager, primary: Instance) -> None:
    assert "innodb_buffer_pool_size = 2867M\n" in manager.render_config_file(primary)


@pytest.mark.parametrize(
    ("memory_mib", "volume_gib", "redo_log_mib"), [(512, None, 89), (512, 1, 64), (4096, 10, 640), (65536, 500, 2048)]
)
def test_the_redo_log_suits_memory_and_volume(
    manager: MySQLManager, primary: Instance, memory_mib: int, volume_gib: int | None, redo_log_mib: int
) -> None:
    primary.memory_mib, primary.volume_gib = memory_mib, volume_gib

    assert f"innodb_log_file_size = {redo_log_mib}M\n" in manager.render_config_file(primary)


def test_every_instance_has_a_number_of_its_own(manager: MySQLManager, primary: Instance, replica: Instance) -> None:
    numbers = {
        line
        for each in (primary, replica)
        for line in manager.render_config_file(each).splitlines()
        if "server_id" in line
    }

    assert len(numbers) == 2


def test_only_a_replica_is_read_only(manager: MySQLManager, primary: Instance, replica: Instance) -> None:
    assert ["read_only = ON\n" in manager.render_config_file(each) for each in (primary, replica)] == [False, True]


def test_prepare_lays_down_configuration_and_scripts(
    manager: MySQLManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    assert guest.permissions == {
        "/etc/mysql/mariadb.conf.d/99-dtrove.cnf": "0644 root:root",
        "/etc/mysql/mariadb.conf.d/zzz-dtrove-parameters.cnf": "0644 root:root",
        "/etc/systemd/system/dtrove-logs.service": "0644 root:root",
        "/etc/systemd/system/dtrove-logs.timer": "0644 root:root",
        "/etc/systemd/system/mariadb.service.d/dtrove.conf": "0644 root:root",
        "/etc/systemd/system/mariadb.service.d/forget-own-events.conf": "0644 root:root",
        "/etc/systemd/system/multi-user.target.d/dtrove.conf": "0644 root:root",
        "/opt/dtrove/forget-own-events": "0700 root:root",
        "/opt/dtrove/prepare": "0700 root:root",
        "/opt/dtrove/replica-access": "0700 root:root",
        "/opt/dtrove/replica-state": "0700 root:root",
        "/opt/dtrove/send-copy": "0700 root:root",
        "/opt/dtrove/service": "0700 root:root",
        "/opt/dtrove/turn-logs": "0700 root:root",
    }
    assert "packages=(mariadb-server mariadb-backup)\n" in guest.files["/opt/dtrove/prepare"]


def test_packages_are_quoted(primary: Instance, passwords: Passwords) -> None:
    datastore = version_of("mysql")
    datastore.packages = ["mariadb-server", "a b; reboot"]
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    MySQLManager(datastore).prepare(primary, guest, passwords)

    assert "packages=(mariadb-server 'a b; reboot')\n" in guest.files["/opt/dtrove/prepare"]


def test_accounts_are_made_from_hashes(manager: MySQLManager, primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest({ACCOUNTS: ""})

    manager.start_primary(primary, guest, passwords)
    manager.start_primary(primary, guest, passwords)

    root_hash, replication_hash = (native_password_hash(each) for each in (passwords.root, passwords.replication))
    assert guest.script == 2 * [
        f"{ACCOUNTS} <<< {UNLOGGED}"
        f"CREATE USER IF NOT EXISTS root@'%' IDENTIFIED VIA mysql_native_password USING '{root_hash}';\n"
        "GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;\n"
        "-- Else it could write on a replica.\n"
        "REVOKE READ_ONLY ADMIN ON *.* FROM root@'%';\n"
        "CREATE USER IF NOT EXISTS replication@'%' IDENTIFIED VIA mysql_native_password"
        f" USING '{replication_hash}';\n"
        "GRANT REPLICATION SLAVE ON *.* TO replication@'%';\n"
    ]


def test_a_hash_is_the_one_mysql_makes() -> None:
    # SELECT PASSWORD('password') of any MariaDB
    assert native_password_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


def test_a_replica_fetches_its_copy_with_a_key_that_is_good_for_nothing_else(
    manager: MySQLManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    admit = "/opt/dtrove/replica-access admit i-2 10.0.0.6"
    guest, primary_guest = FakeGuest({"/opt/dtrove/seed-key": KEY}), FakeGuest({admit: ""})

    with pytest.raises(NotReady):
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)

    assert guest.script == ["/opt/dtrove/seed-key", "dtrove-seed: /opt/dtrove/seed"]
    assert primary_guest.script == [f"{admit} <<< {KEY}"]
    assert guest.files["/run/dtrove/seed/known_hosts"] == "10.0.0.5 ssh-ed25519 AAAAhostkeyi-1\n"
    assert guest.files["/run/dtrove/seed/follow.sql"] == (
        f"{UNLOGGED}"
        "CHANGE MASTER TO\n"
        "    MASTER_HOST = '10.0.0.5',\n"
        "    MASTER_PORT = 3306,\n"
        "    MASTER_USER = 'replication',\n"
        "    MASTER_PASSWORD = 'ReplReplReplReplReplReplReplRepl',\n"
        "    MASTER_CONNECT_RETRY = 1,\n"
        "    MASTER_USE_GTID = slave_pos;\n"
    )


@pytest.mark.parametrize("ending", [UnitState.SUCCEEDED, UnitState.FAILED])
def test_the_key_is_taken_back_however_it_ended(
    manager: MySQLManager, primary: Instance, replica: Instance, passwords: Passwords, ending: UnitState
) -> None:
    guest, primary_guest = (
        FakeGuest({"rm -rf /run/dtrove/seed": ""}, units={"dtrove-seed": ending}),
        FakeGuest({DISMISS: ""}),
    )

    if ending is UnitState.FAILED:
        with pytest.raises(Exception, match="dtrove-seed failed"):
            manager.seed_replica(replica, guest, primary, primary_guest, passwords)
    else:
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)

    assert primary_guest.script == [DISMISS]


def test_oracles_replica_clones_from_the_server_itself(
    oracle: MySQLManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest, primary_guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED}), FakeGuest()

    oracle.prepare(replica, guest, passwords)
    with pytest.raises(NotReady):
        oracle.seed_replica(replica, guest, primary, primary_guest, passwords)

    assert "super_read_only = ON\n" in guest.files["/etc/mysql/mysql.conf.d/zz-dtrove.cnf"]
    assert guest.files["/run/dtrove/seed/clone.sql"].startswith("CLONE INSTANCE FROM replication@'10.0.0.5':3306 ")
    assert guest.script == ["dtrove-prepare: /opt/dtrove/prepare", "dtrove-seed: /opt/dtrove/seed"]
    assert primary_guest.script == []


def test_oracles_scripts_are_such_that_bash_understands(
    oracle: MySQLManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})
    oracle.prepare(primary, guest, passwords)
    with pytest.raises(NotReady):
        oracle.seed_replica(replica, guest, primary, FakeGuest(), passwords)

    for text in (text for text in guest.files.values() if text.startswith("#!")):
        checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_a_replica_that_leaves_loses_its_key(manager: MySQLManager, replica: Instance) -> None:
    primary_guest = FakeGuest({DISMISS: ""})

    manager.drop_replica(primary_guest, replica)

    assert primary_guest.script == [DISMISS]
