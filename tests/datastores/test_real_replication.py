"""Every datastore on real guests: a primary and two replicas, on volumes, rebooted and cut in the middle of work."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from chalicelib import config
from chalicelib.errors import NotReady
from chalicelib.models.instance import Instance
from chalicelib.providers.base import ServerStatus
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.ssh.guest import UnitState
from tests.datastores.clients import CLIENTS, REFUSALS, Client, eventually
from tests.datastores.on_offer import PACKAGES
from tests.datastores.real_cluster import RealCluster

pytestmark = pytest.mark.guests

GOLDEN, COLD = "debian-12-golden", "debian-12"
CUT_AFTER_SECONDS = {GOLDEN: (0.0, 0.3, 0.8), COLD: (0.5, 5.0, 9.0)}  # cold: also in the middle of dpkg's work
SECONDS_TO_SERVE_AGAIN = 30.0  # on a host that has other things to do; it takes two or three


@pytest.fixture(scope="module", params=[(each, image) for image in (GOLDEN, COLD) for each in PACKAGES], ids="-".join)
def cluster(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """A cluster of three that serves, with one row on it. Every test leaves it so."""
    datastore, image = request.param
    cluster = RealCluster(provider, datastore, image)
    try:
        cluster.provision(cluster.add_members(3))
        cluster.start_primary()
        cluster.join(cluster.replicas)
        phases = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in cluster.seconds.items())
        print(f"\n{datastore} on {image}: {phases}; {sum(cluster.seconds.values()):.1f} s in all")
        client_of(cluster, cluster.primary).create()
        client_of(cluster, cluster.primary).write("born", "well")
        yield cluster
    finally:
        cluster.destroy()


def test_what_is_written_on_the_primary_is_read_on_each_replica(cluster: RealCluster) -> None:
    client_of(cluster, cluster.primary).write("word", "well")

    for replica in cluster.replicas:
        await_row(client_of(cluster, replica), "word")


def test_a_replica_refuses_to_write(cluster: RealCluster) -> None:
    for replica in cluster.replicas:
        with pytest.raises(REFUSALS, match=r"(?i)read.?only"):
            client_of(cluster, replica).write("never", "here")


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_comes_in_without_the_password(cluster: RealCluster, password: str) -> None:
    for instance in cluster.members:
        with pytest.raises(REFUSALS, match=r"(?i)denied|password|auth"):
            CLIENTS[cluster.datastore](str(instance.address), password).read("born")


def test_a_guest_keeps_no_password_where_others_read_it(cluster: RealCluster) -> None:
    """Not in a log, a history, a journal or a statement kept for replication; the customer's own nowhere at all."""
    for instance in cluster.members:
        assert holders(cluster, instance, cluster.passwords.root) == []
        kept = holders(cluster, instance, cluster.passwords.replication)
        assert kept or instance.is_primary  # a replica needs it whenever it connects
        assert [path for mode, path in kept if mode[-1] != "0" or "/log" in path] == []


def test_data_lies_on_the_volume(cluster: RealCluster) -> None:
    for instance in cluster.members:
        with cluster.guest(instance) as guest:
            source = guest.run("findmnt --noheadings --output SOURCE,FSTYPE {folder}", folder=cluster.manager.data_path)
            assert source.split()[1] == "xfs"


def test_a_second_run_changes_nothing(cluster: RealCluster) -> None:
    started_at = [started(cluster, each) for each in cluster.members]

    cluster.provision(cluster.members)
    cluster.start_primary()
    cluster.join(cluster.replicas)

    assert [started(cluster, each) for each in cluster.members] == started_at
    assert [client_of(cluster, each).read("born") for each in cluster.members] == ["well"] * 3


def test_all_work_of_creation_may_be_done_again_after_a_reboot(cluster: RealCluster) -> None:
    """Its units are lost then, so all scripts run once more, over data that is whole."""
    reboot(cluster, cluster.members)

    cluster.provision(cluster.members)
    cluster.start_primary()
    cluster.join(cluster.replicas)

    assert_all_serve(cluster, "again")


def test_after_a_reboot_all_serve_again_within_seconds(cluster: RealCluster) -> None:
    reboot(cluster, cluster.members)
    began_at = time.monotonic()

    assert_all_serve(cluster, "rebooted")

    print(f"\n{cluster.datastore}: all serve {time.monotonic() - began_at:.1f} s after their reboot")
    for replica in cluster.replicas:
        with pytest.raises(REFUSALS, match=r"(?i)read.?only"):
            client_of(cluster, replica).write("never", "here")


def test_after_a_power_cut_all_serve_again_within_seconds(cluster: RealCluster) -> None:
    for instance in cluster.members:
        power_cut(cluster, instance)
    began_at = time.monotonic()

    assert_all_serve(cluster, "powered")

    print(f"\n{cluster.datastore}: all serve {time.monotonic() - began_at:.1f} s after their power came back")


def test_a_stopped_datastore_stays_stopped_over_a_reboot_until_it_is_started(cluster: RealCluster) -> None:
    replica = cluster.replicas[0]

    control(cluster, "stop", replica, "j1")
    reboot(cluster, [replica])
    with pytest.raises(REFUSALS):
        client_of(cluster, replica).read("born")
    control(cluster, "start", replica, "j2")

    assert client_of(cluster, replica).read("born") == "well"


def test_a_restart_is_done_once_and_the_datastore_answers_after_it(cluster: RealCluster) -> None:
    before = started(cluster, cluster.primary)

    control(cluster, "restart", cluster.primary, "j3")
    client_of(cluster, cluster.primary).read("born")
    after = started(cluster, cluster.primary)
    control(cluster, "restart", cluster.primary, "j3")

    assert before != after == started(cluster, cluster.primary)


def test_a_replica_can_leave_and_another_join_that_was_cut_while_it_was_made(cluster: RealCluster) -> None:
    leaving = cluster.members.pop()
    with cluster.guest(cluster.primary) as primary_guest:
        cluster.manager.drop_replica(primary_guest, leaving)
        cluster.manager.drop_replica(primary_guest, leaving)
    while not cluster.provider.destroy(leaving):
        time.sleep(0.05)

    (new,) = cluster.add_members(1)
    cluster.on_each("server", [new], cluster.create_server)
    cluster.on_each("volume", [new], cluster.mount_volume)
    cut_in(cluster, new, "dtrove-prepare", cluster.prepare)
    cut_in(cluster, new, "dtrove-seed", cluster.seed)
    cluster.join([new])

    await_row(client_of(cluster, new), "born")
    with pytest.raises(REFUSALS, match=r"(?i)read.?only"):
        client_of(cluster, new).write("never", "here")


def cut_in(cluster: RealCluster, instance: Instance, unit: str, work: Callable[[Instance], None]) -> None:
    """Cut the power in the middle of the unit, each time later; then let it come to its end."""
    for seconds in CUT_AFTER_SECONDS[cluster.image]:
        with no_patience(), suppress(NotReady):  # it may have come to its end before the cut
            work(instance)
        time.sleep(seconds)
        power_cut(cluster, instance)
    cluster.until_done(lambda: work(instance))
    with cluster.guest(instance) as guest:
        assert guest.state(unit) is UnitState.SUCCEEDED


@contextmanager
def no_patience() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DTROVE_PATIENCE_SECONDS", "0")
        config.current.cache_clear()
        yield
    config.current.cache_clear()


def power_cut(cluster: RealCluster, instance: Instance) -> None:
    cluster.provider.stop(instance, hard=True)
    eventually(lambda: cluster.provider.update_status(instance)[0] is ServerStatus.SHUTOFF, SECONDS_TO_SERVE_AGAIN)
    cluster.until_done(lambda: cluster.provider.start(instance))
    cluster.until_done(lambda: cluster.run(instance, "true"))


def reboot(cluster: RealCluster, instances: list[Instance]) -> None:
    for instance in instances:
        cluster.provider.reboot(instance)
    for instance in instances:
        await_active(cluster, instance)


def await_active(cluster: RealCluster, instance: Instance) -> None:
    eventually(lambda: cluster.provider.update_status(instance)[0] is ServerStatus.ACTIVE, SECONDS_TO_SERVE_AGAIN)
    cluster.until_done(lambda: cluster.run(instance, "true"))


def control(cluster: RealCluster, action: str, instance: Instance, run_id: str) -> None:
    def act() -> None:
        with cluster.guest(instance) as guest:
            getattr(cluster.manager, action)(instance, guest, run_id)

    cluster.until_done(act)


def started(cluster: RealCluster, instance: Instance) -> str:
    """Return when the service last started, as systemd says."""
    with cluster.guest(instance) as guest:
        shown = "systemctl show --property=InactiveExitTimestampMonotonic --value {service}"
        return guest.run(shown, service=cluster.manager.service_name)


def holders(cluster: RealCluster, instance: Instance, password: str) -> list[tuple[str, str]]:
    """Return mode and path of each file on the guest that holds the password."""
    search = "grep -rlsFf - --devices=skip /etc /home /opt /root /run /tmp /var | xargs -r stat --format='%a %n'"
    with cluster.guest(instance) as guest:
        found = guest.run(search, stdin=f"{password}\n").splitlines()
    return [(mode, path) for mode, path in (line.split(" ", 1) for line in found)]


def assert_all_serve(cluster: RealCluster, key: str) -> None:
    """A row can be written on the primary, and is read on each replica."""
    primary = client_of(cluster, cluster.primary)
    eventually(lambda: primary.write(key, "well") is None, SECONDS_TO_SERVE_AGAIN)
    for replica in cluster.replicas:
        await_row(client_of(cluster, replica), key)


def await_row(client: Client, key: str) -> None:
    eventually(lambda: client.read(key) == "well", SECONDS_TO_SERVE_AGAIN)


def client_of(cluster: RealCluster, instance: Instance) -> Client:
    return CLIENTS[cluster.datastore](str(instance.address), cluster.passwords.root)
