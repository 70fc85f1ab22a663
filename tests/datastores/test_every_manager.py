"""What holds for every datastore of this deployment's settings."""

import subprocess
from typing import get_type_hints

import pytest

from chalicelib.config import DEFAULT_MANAGERS
from chalicelib.datastores import manager_of
from chalicelib.datastores.accounts import User
from chalicelib.datastores.applying import values_of
from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.datastores.parameters import check_values
from chalicelib.datastores.redis import RedisManager
from chalicelib.errors import BadRequest, CommandFailed, NotOffered, NotReady, Permanent
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest

PREPARE, SEED, MOUNT = "dtrove-prepare", "dtrove-seed", "dtrove-mount-volume"


class TalkativeGuest(FakeGuest):
    """Every command succeeds and says nothing but what it was told to."""

    def run(self, command: str, *, stdin: str = "", **words: str | int) -> str:
        self.replies.setdefault(command.format(**words), "")
        return super().run(command, stdin=stdin, **words)


@pytest.fixture(params=[name for _, name in DEFAULT_MANAGERS])
def manager(request: pytest.FixtureRequest) -> BaseManager:
    return manager_of(version_of(request.param))


def test_is_called_what_the_settings_call_it(manager: BaseManager) -> None:
    assert manager.name == manager.datastore.manager


def test_says_all_that_the_workflows_ask_for(manager: BaseManager) -> None:
    assert {each for each in get_type_hints(BaseManager) if not hasattr(manager, each)} == set()


def test_configuration_is_the_same_each_time_and_sized_by_the_flavor(manager: BaseManager, primary: Instance) -> None:
    small = manager.render_config_file(primary)
    primary.memory_mib = 8192

    assert manager.render_config_file(primary) == manager.render_config_file(primary) != small


def test_every_script_is_one_that_bash_understands(
    manager: BaseManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest, primary_guest = TalkativeGuest(), TalkativeGuest()
    for instance, its_guest in ((primary, primary_guest), (replica, guest)):
        for work in (manager.mount_volume, lambda one, two: manager.prepare(one, two, passwords)):
            with pytest.raises(NotReady):
                work(instance, its_guest)
    with pytest.raises(NotReady):
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)

    scripts = {path: text for each in (guest, primary_guest) for path, text in each.files.items() if "#!" in text[:2]}

    assert {"/opt/dtrove/prepare", "/opt/dtrove/seed", "/opt/dtrove/mount-volume"} <= set(scripts)
    for path, text in scripts.items():
        checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), path


def test_an_instance_is_born_with_its_parameters_in_the_file_that_its_configuration_includes(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    name, parameter = next((name, each) for name, each in manager.parameters.items() if each.type == "boolean")
    with_one, without = (FakeGuest(endings={PREPARE: UnitState.SUCCEEDED}) for _ in range(2))

    manager.prepare(primary, with_one, passwords, {name: True})
    manager.prepare(primary, without, passwords)

    assert values_of(with_one.files[manager.parameters_path]) == {name: True}
    assert values_of(without.files[manager.parameters_path]) == {}
    assert f"parameters={manager.parameters_path}\n" in with_one.files["/opt/dtrove/service"]
    assert with_one.permissions[manager.parameters_path] == "0644 root:root"
    assert check_values({name: parameter}, {name: True}) == {name: True}


def test_its_logs_are_files_of_its_own_that_are_turned_over(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={PREPARE: UnitState.SUCCEEDED})

    manager.prepare(primary, guest, passwords)

    assert manager.logs
    assert len({each.name for each in manager.logs}) == len(manager.logs)
    assert {each.path.rpartition("/")[0] for each in manager.logs} == {manager.log_folder}
    assert manager.server_log in manager.log_paths
    configuration = manager.render_config_file(primary)
    for path in manager.log_paths:
        assert path in configuration or path.rpartition("/")[2] in configuration
        assert f" {path}" in guest.files["/opt/dtrove/turn-logs"]
    assert f"most={32 * 2**20}\n" in guest.files["/opt/dtrove/turn-logs"]
    prepare = guest.files["/opt/dtrove/prepare"]
    assert f"logs={manager.log_folder}\n" in prepare
    assert prepare.index('chmod 750 "$logs"') < prepare.index('[ ! -e "$whole" ] || /opt/dtrove/service start')
    assert "start dtrove-logs.timer" in prepare
    assert f"log={manager.server_log}\n" in guest.files["/opt/dtrove/service"]


def test_a_log_of_the_customer_is_switched_by_a_parameter_that_it_may_set(
    manager: BaseManager, primary: Instance
) -> None:
    for log in manager.logs:
        if log.switch is None:
            continue
        parameter = manager.parameters[log.switch.parameter]
        for value in (log.switch.on, log.switch.off):
            assert check_values({log.switch.parameter: parameter}, {log.switch.parameter: value})
        assert not parameter.restart_required
        assert manager.logs_path


def test_a_file_system_grows_once_the_guest_sees_all_of_the_volume(manager: BaseManager, primary: Instance) -> None:
    primary.volume_gib, primary.volume_device = 3, "/dev/disk/by-id/virtio-1"
    asking = (
        "device=$(readlink -f /dev/disk/by-id/virtio-1); ask=/sys/class/block/${device##*/}/device/rescan; "
        '[ ! -w "$ask" ] || echo 1 >"$ask"; blockdev --getsize64 "$device"'
    )
    growing = f"xfs_growfs -d {manager.data_path}"
    guest = FakeGuest({asking: f"{2 * 2**30}\n", growing: ""})

    with pytest.raises(NotReady, match="sees 2147483648 bytes of its volume's 3 GiB"):
        manager.grow_file_system(primary, guest)
    guest.replies[asking] = f"{3 * 2**30}\n"
    manager.grow_file_system(primary, guest)

    assert guest.script == [asking, asking, growing]


def test_where_nothing_was_set_and_nothing_shall_be_the_server_is_not_touched(
    manager: BaseManager, primary: Instance
) -> None:
    guest = FakeGuest()
    paths = f"{manager.parameters_path} {manager.parameters_path}.next /etc/dtrove/parameters.note"
    reading = f'for file in {paths}; do [ ! -e "$file" ] || base64 --wrap=0 "$file"; echo; done'
    guest.replies[reading] = "\n\n\n"

    assert manager.apply_parameters(primary, guest, {}) == frozenset()
    assert (guest.script, guest.files) == ([reading], {})


def test_replicas_need_no_order_where_nothing_changes(manager: BaseManager, primary: Instance) -> None:
    assert manager.replicas_first(primary, {}, {}) is False


def test_prepare_is_not_ready_until_its_unit_is_done_and_then_does_nothing(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest()

    with pytest.raises(NotReady):
        manager.prepare(primary, guest, passwords)
    guest.endings[PREPARE] = UnitState.SUCCEEDED
    manager.prepare(primary, guest, passwords)
    guest.files.clear()
    manager.prepare(primary, guest, passwords)

    assert guest.script == [f"{PREPARE}: /opt/dtrove/prepare"]
    assert guest.files == {}


def test_prepare_begins_anew_after_a_reboot_lost_its_unit(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest()
    for _ in range(2):
        with pytest.raises(NotReady):
            manager.prepare(primary, guest, passwords)
        guest.units.clear()

    assert guest.script == [f"{PREPARE}: /opt/dtrove/prepare"] * 2


def test_a_failed_unit_gives_its_last_words_and_can_be_tried_again(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    words = {PREPARE: f"E: No space left\n{PREPARE}.service: Failed with result 'exit-code'.\n"}
    guest = FakeGuest(endings={PREPARE: UnitState.FAILED}, outputs=words)

    with pytest.raises(Permanent, match=r"^dtrove-prepare failed: E: No space left$"):
        manager.prepare(primary, guest, passwords)

    assert guest.state(PREPARE) is UnitState.NOT_STARTED


def test_only_a_primary_gets_data_of_its_own(
    manager: BaseManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    scripts = []
    for instance in (primary, replica):
        guest = FakeGuest(endings={PREPARE: UnitState.SUCCEEDED})
        manager.prepare(instance, guest, passwords)
        scripts.append(guest.files["/opt/dtrove/prepare"])

    assert ['touch "$whole"' in each for each in scripts] == [True, False]


def test_nothing_but_root_and_the_server_may_read_what_holds_a_password(
    manager: BaseManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest, primary_guest = TalkativeGuest(endings={PREPARE: UnitState.SUCCEEDED}), TalkativeGuest()
    manager.prepare(replica, guest, passwords)
    with pytest.raises(NotReady):
        manager.seed_replica(replica, guest, primary, primary_guest, passwords)
    manager.start_primary(primary, primary_guest, passwords)

    secrets = (passwords.root, passwords.replication)
    holders = {path for path, text in guest.files.items() if any(each in text for each in secrets)}

    assert {guest.permissions[path].split()[0] for path in holders} == {"0600"}
    assert not any(each in line for each in secrets for line in guest.script + primary_guest.script)


def test_a_service_serves_only_whole_data_and_not_while_it_is_stopped(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    guest = FakeGuest(endings={PREPARE: UnitState.SUCCEEDED})
    manager.prepare(primary, guest, passwords)

    conditions = guest.files[f"/etc/systemd/system/{manager.service_name}.service.d/dtrove.conf"]

    assert f"ConditionPathExists={manager.data_path}/.dtrove-whole\n" in conditions
    assert "ConditionPathExists=!/etc/dtrove/stopped\n" in conditions


def test_an_instance_without_a_volume_has_none_to_mount(manager: BaseManager, primary: Instance) -> None:
    primary.volume_device = None
    guest = FakeGuest()

    manager.mount_volume(primary, guest)

    assert guest.script == []


def test_a_volume_is_mounted_once_and_at_each_boot(manager: BaseManager, primary: Instance) -> None:
    guest = FakeGuest(endings={MOUNT: UnitState.SUCCEEDED})

    manager.mount_volume(primary, guest)
    manager.mount_volume(primary, guest)

    (unit,) = [path for path in guest.files if path.endswith(".mount")]
    assert unit == f"/etc/systemd/system/{manager.data_path[1:].replace('/', '-')}.mount"
    assert f"What=/dev/vdb\nWhere={manager.data_path}\nType=xfs\n" in guest.files[unit]
    assert guest.script == [f"{MOUNT}: /opt/dtrove/mount-volume"]


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
def test_the_service_is_touched_once_for_each_wish(manager: BaseManager, primary: Instance, action: str) -> None:
    ended = dict.fromkeys((f"dtrove-{action}-j1", f"dtrove-{action}-j2"), UnitState.SUCCEEDED)
    guest = FakeGuest(endings=ended)
    act = getattr(manager, action)

    act(primary, guest, "j1")
    act(primary, guest, "j1")
    act(primary, guest, "j2")

    assert guest.script == [f"{unit}: /opt/dtrove/service {action}" for unit in ended]


def test_a_seeding_that_succeeded_leaves_no_secret_behind(
    manager: BaseManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest = TalkativeGuest(endings={SEED: UnitState.SUCCEEDED})

    manager.seed_replica(replica, guest, primary, TalkativeGuest(), passwords)

    assert guest.script[-1] == "rm -rf /run/dtrove/seed"


def test_a_seeding_that_failed_leaves_no_secret_behind(
    manager: BaseManager, primary: Instance, replica: Instance, passwords: Passwords
) -> None:
    guest = TalkativeGuest(endings={SEED: UnitState.FAILED}, outputs={SEED: "Connection refused"})

    with pytest.raises(Permanent, match="Connection refused"):
        manager.seed_replica(replica, guest, primary, TalkativeGuest(), passwords)

    assert guest.script[-1] == "rm -rf /run/dtrove/seed"


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ("waiting for a connection\n", NotReady, "shop-i-2 does not .* yet: it waits for a connection"),
        ("stopped Duplicate entry '1'\n", Permanent, "shop-i-2 does not follow its primary: Duplicate entry '1'"),
        ("\n", NotReady, "shop-i-2"),
    ],
)
def test_a_replica_that_does_not_follow_says_why(
    manager: BaseManager, replica: Instance, answer: str, outcome: type[Exception], reason: str
) -> None:
    guest = FakeGuest({"/opt/dtrove/replica-state 8": answer})

    with pytest.raises(outcome, match=reason):
        manager.await_replica(replica, guest)


def test_a_replica_that_follows_is_ready(manager: BaseManager, replica: Instance) -> None:
    guest = FakeGuest({"/opt/dtrove/replica-state 8": "following\n"})

    manager.await_replica(replica, guest)

    assert guest.script == ["/opt/dtrove/replica-state 8"]


def test_a_datastore_that_does_not_run_is_no_passing_trouble(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    class BrokenGuest(FakeGuest):
        def run(self, command: str, *, stdin: str = "", **words: str | int) -> str:
            raise CommandFailed("it does not run", 1)

    with pytest.raises(CommandFailed):
        manager.start_primary(primary, BrokenGuest(), passwords)


def test_accounts_that_are_the_servers_or_ours_can_be_neither_made_nor_seen(manager: BaseManager) -> None:
    for name in (manager.root_name, "replication", "root", "os_admin"):
        with pytest.raises(BadRequest, match=f"^Validation error: user name '{name}' is reserved"):
            manager.accounts.check_user(User(name, password="opensesame"))


def test_accounts_take_a_plain_user_and_keep_its_password_to_themselves(manager: BaseManager) -> None:
    user = User("ann", password="opensesame")

    manager.accounts.check_user(user)

    assert "opensesame" not in repr(user)


def test_accounts_may_be_changed_again_and_never_tell_a_password(manager: BaseManager) -> None:
    """Whatever the server says, the second time the guest is told the same, but for salts that are drawn."""
    accounts, ann = manager.accounts, User("ann", password="opensesame")
    for change in (
        lambda guest: accounts.create_users(guest, [ann]),
        lambda guest: accounts.enable_root(guest, "opensesame"),
        accounts.disable_root,
    ):
        guest = TalkativeGuest()
        change(guest)
        change(guest)

        first, second = guest.script[: len(guest.script) // 2], guest.script[len(guest.script) // 2 :]
        assert [each.partition(" <<< ")[0] for each in first] == [each.partition(" <<< ")[0] for each in second]
        assert "opensesame" not in "".join(guest.script)
        assert b"opensesame".hex() not in "".join(guest.script).replace("\\x", "")


def test_a_datastore_without_accounts_says_so() -> None:
    manager = RedisManager(version_of("redis"))

    with pytest.raises(NotOffered, match=r"redis-7\.0 has no databases and users"):
        super(RedisManager, manager).accounts  # noqa: B018


def test_a_manager_may_be_a_dotted_path() -> None:
    datastore = Datastore(
        datastore="redis", version="7.0", manager="chalicelib.datastores.redis.RedisManager", packages=[]
    )

    assert manager_of(datastore).name == "redis"


@pytest.mark.parametrize("name", ["oracle", "chalicelib.datastores.oracle.OracleManager", "chalicelib.errors.Nothing"])
def test_an_unknown_manager_is_refused_naming_those_there_are(name: str) -> None:
    datastore = Datastore(datastore="oracle", version="19", manager=name, packages=[])

    offered = ", ".join(sorted(name for _, name in DEFAULT_MANAGERS))
    with pytest.raises(Permanent, match=f"there are {offered}"):
        manager_of(datastore)
