"""Redis: what the manager tells guests, word for word."""

from hashlib import sha256

import pytest

from chalicelib.datastores.base import Passwords
from chalicelib.datastores.redis.manager import RedisManager
from chalicelib.errors import NotReady
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest


@pytest.fixture
def manager() -> RedisManager:
    return RedisManager(version_of("redis"))


def test_data_gets_six_tenths_of_memory(manager: RedisManager, primary: Instance) -> None:
    assert "maxmemory 2457mb\n" in manager.render_config_file(primary)


def test_prepare_lays_down_configuration_and_scripts(
    manager: RedisManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    assert guest.permissions == {
        "/etc/dtrove/parameters.conf": "0644 root:root",
        "/etc/dtrove/replication-password": "0600 root:root",
        "/etc/systemd/system/dtrove-logs.service": "0644 root:root",
        "/etc/systemd/system/dtrove-logs.timer": "0644 root:root",
        "/etc/systemd/system/multi-user.target.d/dtrove.conf": "0644 root:root",
        "/etc/systemd/system/redis-server.service.d/dtrove.conf": "0644 root:root",
        "/opt/dtrove/ask-redis": "0700 root:root",
        "/opt/dtrove/prepare": "0700 root:root",
        "/opt/dtrove/redis.conf": "0600 root:root",
        "/opt/dtrove/replica-state": "0700 root:root",
        "/opt/dtrove/service": "0700 root:root",
        "/opt/dtrove/turn-logs": "0700 root:root",
        "/opt/dtrove/users.acl": "0600 root:root",
    }


def test_accounts_have_passwords_from_the_first_start_on(
    manager: RedisManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    assert "aclfile /etc/redis/users.acl\n" in guest.files["/opt/dtrove/redis.conf"]
    assert guest.files["/opt/dtrove/users.acl"] == (
        f"user default on #{sha256(passwords.root.encode()).hexdigest()} ~* &* +@all -acl -cluster -config -debug"
        " -failover -migrate -module -psync -replconf -replicaof -shutdown -slaveof -sync\n"
        f"user replication on #{sha256(passwords.replication.encode()).hexdigest()} ~* &* +@all\n"
    )


def test_a_primary_opens_once_it_answers(manager: RedisManager, primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest({"/opt/dtrove/service await": ""})

    manager.start_primary(primary, guest, passwords)

    assert guest.script == ["/opt/dtrove/service await"]


def test_a_replica_follows_from_its_first_start_on(
    manager: RedisManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest, primary_guest = FakeGuest(), FakeGuest()

    with pytest.raises(NotReady):
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)

    seed = guest.files["/opt/dtrove/seed"]
    assert seed.index('echo "replicaof $primary 6379"') < seed.index('touch "$whole"') < seed.index("service start")
    assert "primary=10.0.0.5\n" in seed
    copied = seed.index('ask-redis -h "$primary" ACL LIST >"$users.new"')
    assert copied < seed.index('mv -f "$users.new" "$users"') < seed.index('touch "$whole"')
    assert primary_guest.script == []


def test_the_primary_keeps_nothing_for_a_replica(manager: RedisManager, replica: Instance) -> None:
    primary_guest = FakeGuest()

    manager.drop_replica(primary_guest, replica)

    assert primary_guest.script == []


def test_it_ends_when_told_even_while_it_writes_its_first_aof_file(manager: RedisManager, primary: Instance) -> None:
    """Redis refuses to end then, and Debian's unit waits for it without a limit: the server would never reboot."""
    assert "shutdown-on-sigterm force\n" in manager.render_config_file(primary)
