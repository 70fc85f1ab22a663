"""What is particular to servers on this host: limits, users, who outlives whom, and that nothing is left of a site."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access, ServerStatus
from chalicelib.providers.nspawn import host, runner, servers
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.records import ServerRecord, load
from chalicelib.providers.nspawn.removal import everything_left, remove_everything, remove_from_kernel
from chalicelib.providers.nspawn.site import Site
from tests.providers.nspawn_rig import NspawnRig

pytestmark = pytest.mark.guests


@pytest.fixture
def rig(nspawn_rig: NspawnRig) -> Iterator[NspawnRig]:
    try:
        yield nspawn_rig
    finally:
        nspawn_rig.remove_all()


def cgroup_of(rig: NspawnRig, instance: Instance) -> Cgroup:
    record = load(ServerRecord, rig.site.guest(instance.instance_id))
    assert record is not None
    return servers.cgroup_of(rig.site, record)


def init_of(rig: NspawnRig, instance: Instance) -> int:
    process = runner.leader(cgroup_of(rig, instance))
    assert process is not None
    return process


def runner_of(rig: NspawnRig, instance: Instance) -> Path:
    """Return the runner's folder in /proc."""
    for process in cgroup_of(rig, instance).processes():
        with suppress(FileNotFoundError):  # the guest is still booting: processes come and go
            if b"runner.sh" in Path(f"/proc/{process}/cmdline").read_bytes():
                return Path(f"/proc/{process}")
    raise AssertionError("no runner")


def test_a_guest_has_no_more_memory_than_its_flavor(rig: NspawnRig) -> None:
    instance = rig.create()

    assert rig.run(instance, "head -c 300M /dev/zero | tail -c 300M | wc -c") == (0, f"{300 << 20}\n")
    status, output = rig.run(instance, "head -c 900M /dev/zero | tail -c 900M | wc -c")

    assert f"{900 << 20}" not in output, status
    assert rig.done(instance, "echo alive") == "alive\n"


def test_a_guest_has_no_more_processors_than_its_flavor(rig: NspawnRig) -> None:
    instance = rig.create()
    cgroup = cgroup_of(rig, instance)

    if cgroup.is_version_2:
        assert (cgroup.mount / cgroup.path / "cpu.max").read_text() == "100000 100000\n"
    else:
        assert (cgroup.mount / "cpu" / cgroup.path / "cpu.cfs_quota_us").read_text() == "100000\n"


def test_a_user_other_than_root_may_become_root(rig: NspawnRig) -> None:
    instance = rig.create(user="debian")

    assert rig.done(instance, "id -un && sudo id -un") == "debian\nroot\n"
    assert instance.user == "debian"


def test_a_guest_is_called_by_its_local_id_and_finds_names_and_packages(rig: NspawnRig) -> None:
    instance = rig.create()

    assert rig.done(instance, "hostname").strip() == instance.local_id
    assert rig.done(instance, "hostname -I").split() == [instance.address]
    assert rig.done(instance, "systemctl --failed --no-legend") == ""
    assert "Reading package lists" in rig.done(instance, "apt-get update")


def test_datastores_are_installed_on_the_golden_image_without_an_update_and_none_runs(rig: NspawnRig) -> None:
    instance = rig.create(image="debian-12-golden")
    packages = "mariadb-server mariadb-backup postgresql-15 redis-server"

    said = rig.done(instance, f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages}")

    assert "0 upgraded, 0 newly installed" in said
    for unit in ("mariadb", "postgresql", "redis-server"):
        assert rig.run(instance, f"systemctl is-active {unit}")[1] == "inactive\n"
    rig.done(instance, "systemctl start mariadb postgresql@15-main redis-server")


def test_the_runner_has_nothing_of_the_caller(rig: NspawnRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do not inherit")
    instance = rig.create()

    process = runner_of(rig, instance)

    assert b"AWS" not in (process / "environ").read_bytes()
    assert str((process / "cwd").readlink()) == "/"
    assert os.getsid(int(process.name)) != os.getsid(0)
    assert {str((process / "fd" / each).readlink()) for each in "012"} == {
        "/dev/null",
        str(rig.site.guest(instance.instance_id) / "console.log"),
    }


def test_a_guest_that_loses_its_runner_is_still_known_to_run_and_can_be_destroyed(rig: NspawnRig) -> None:
    instance = rig.create()

    os.kill(int(runner_of(rig, instance).name), signal.SIGKILL)

    assert rig.provider().update_status(instance)[0] is ServerStatus.ACTIVE
    rig.await_host_key(instance)
    rig.destroy(instance)
    assert rig.owned() == []


def test_a_guest_killed_from_outside_is_in_error_until_it_is_started(rig: NspawnRig) -> None:
    instance = rig.create()

    os.kill(init_of(rig, instance), signal.SIGKILL)

    rig.settle(instance, ServerStatus.ERROR)
    assert "status 1" in str(instance.message)
    rig.provider().start(instance)
    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)


def test_a_resize_that_nobody_asks_for_again_goes_on_as_its_status_is_asked_for(rig: NspawnRig) -> None:
    instance = rig.create()

    assert not rig.provider().resize(instance, "2")

    assert rig.provider().update_status(instance)[0] is ServerStatus.RESIZE
    rig.settle(instance, ServerStatus.VERIFY_RESIZE)
    rig.await_host_key(instance)
    assert rig.memory_mib(instance) == 1024


def test_a_server_that_is_off_has_its_other_flavor_when_it_is_started(rig: NspawnRig) -> None:
    instance = rig.create()
    rig.provider().stop(instance, hard=True)
    rig.settle(instance, ServerStatus.SHUTOFF)

    assert rig.provider().resize(instance, "2")
    assert rig.provider().update_status(instance)[0] is ServerStatus.SHUTOFF

    rig.provider().start(instance)
    rig.settle(instance, ServerStatus.VERIFY_RESIZE)
    assert rig.memory_mib(instance) == 1024


FREEZERS = {"freezer.state": "FROZEN", "cgroup.freeze": "1"}  # of version 1, of version 2


def freeze(rig: NspawnRig, instance: Instance, file: str) -> None:
    """Freeze the guest and a group in it, as an operator, or a guest that may mount this, can."""
    cgroup = cgroup_of(rig, instance)
    folder = next((each for each in cgroup.folders if (each / file).exists()), None)
    if folder is None:
        pytest.skip(f"this host has no {file}")
    inner = folder / "inner"
    inner.mkdir()
    for each in (inner, folder):
        (each / file).write_text(FREEZERS[file])
    state = folder / ("freezer.state" if file == "freezer.state" else "cgroup.events")
    rig.until(lambda: {"FROZEN", "frozen 1"} & set(state.read_text().splitlines()) != set(), "the guest is frozen")


@pytest.mark.parametrize("file", FREEZERS)
def test_a_frozen_guest_can_be_destroyed(rig: NspawnRig, file: str) -> None:
    instance = rig.create()
    freeze(rig, instance, file)

    rig.destroy(instance)

    assert rig.owned() == []


@pytest.mark.parametrize("file", FREEZERS)
def test_a_frozen_guest_can_be_switched_off_and_on(rig: NspawnRig, file: str) -> None:
    instance = rig.create()
    freeze(rig, instance, file)

    rig.provider().stop(instance, hard=True)
    rig.settle(instance, ServerStatus.SHUTOFF)
    rig.provider().start(instance)

    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)


def test_a_guest_that_powers_itself_off_is_off_and_one_that_reboots_itself_comes_back(rig: NspawnRig) -> None:
    instance = rig.create()
    first = init_of(rig, instance)

    rig.run(instance, "systemctl reboot")
    rig.until(lambda: runner.leader(cgroup_of(rig, instance)) not in {None, first}, "another init runs")
    rig.await_host_key(instance)
    rig.run(instance, "systemctl poweroff")

    rig.settle(instance, ServerStatus.SHUTOFF)


def test_a_hostile_guest_cannot_lead_a_volume_elsewhere(rig: NspawnRig, tmp_path: Path) -> None:
    instance = rig.create()
    rig.done(instance, f"umount -l /dev && rm -rf /dev && ln -s {tmp_path} /dev")

    with pytest.raises(ProviderError, match="refused"):
        rig.provider().attach_volume(instance)

    assert list(tmp_path.iterdir()) == []


def test_the_guest_of_a_host_that_was_started_anew_starts_with_its_data(rig: NspawnRig) -> None:
    """After a boot of the host there are the folders, and none of the mounts, interfaces, groups and loop devices."""
    instance = rig.create()
    rig.provider().attach_volume(instance)
    rig.write(instance, "disk", on_volume=False)
    rig.write(instance, "volume", on_volume=True)

    remove_from_kernel(rig.site)
    assert {line.split()[0] for line in everything_left(rig.site)} == {"folder"}
    assert rig.provider().update_status(instance)[0] is ServerStatus.SHUTOFF
    rig.provider().start(instance)

    rig.settle(instance, ServerStatus.ACTIVE)
    rig.await_host_key(instance)
    assert rig.read(instance, on_volume=False) == "disk"
    assert rig.read(instance, on_volume=True) == "volume"


def test_nothing_is_left_of_a_site_that_is_removed(rig: NspawnRig, tmp_path: Path) -> None:
    site = Site(tmp_path, rig.site.images, "dtrovetest1", IPv4Network("10.79.2.0/24"))
    other = NspawnRig(site)
    instance, bystander = other.create(access=Access(22, ("198.18.0.0/24",))), rig.create()
    other.provider().attach_volume(instance)
    other.write(instance, "kept", on_volume=True)
    other.provider().ensure_address(instance.cluster_id)
    assert {f"nft table {family} {site.table}" for family in ("ip", "bridge")} < set(everything_left(site))
    kinds = {line.split()[0] for line in everything_left(site)}
    assert kinds == {"process", "mount", "interface", "network", "nft", "loop", "control", "folder"}

    remove_everything(site)
    remove_everything(site)

    assert everything_left(site) == []
    assert rig.host_key_at(str(bystander.address)) == bystander.host_key


def test_the_rules_of_a_guest_go_with_it(rig: NspawnRig) -> None:
    guarded = Access(22, ("198.18.0.0/24",))
    first, second = rig.create(access=guarded), rig.create(access=guarded)

    def chains() -> int:
        return host.run("nft", "list", "ruleset").count(f"\tchain {rig.site.veth_prefix}")

    assert chains() == 2
    rig.provider().set_access(first, Access(22))
    assert chains() == 1
    rig.destroy(second)
    assert chains() == 0
    assert f"table bridge {rig.site.table}" not in host.run("nft", "list", "tables").splitlines()


def test_a_guest_reaches_elsewhere_whoever_may_reach_it(rig: NspawnRig) -> None:
    instance = rig.create(access=Access(22, ("198.18.0.0/24",)))

    assert "Reading package lists" in rig.done(instance, "apt-get update")


def test_a_guest_is_reached_no_more_over_ipv6_than_it_should_be(rig: NspawnRig) -> None:
    instance, neighbour = rig.create(access=Access(7777, ("198.18.0.0/24",))), rig.create()
    rig.serve(instance, 7777)
    listed = "ip -6 -o addr show dev eth0 scope link -tentative"
    both = (instance, neighbour)
    rig.until(lambda: all("inet6" in rig.done(each, listed) for each in both), "they have addresses of IPv6")
    address = rig.done(instance, f"{listed} | sed 's/.*inet6 //; s#/.*##'").strip()
    shake_hands = f"timeout 1.5 bash -c 'exec 3<>/dev/tcp/{address}%eth0/7777'"

    assert rig.run(neighbour, shake_hands)[0] != 0
    rig.provider().set_access(instance, Access(7777))
    assert rig.run(neighbour, shake_hands) == (0, "")


def test_a_network_that_is_full_refuses_and_keeps_nothing(rig: NspawnRig) -> None:
    site = replace(rig.site, network=IPv4Network("10.79.1.0/30"))
    full = NspawnRig(site)
    full.create()

    newborn = full.order()
    with pytest.raises(ProviderError, match="No address is free"):
        full.provider().create(newborn.instance, newborn.birth)

    assert full.owned() == ["server"]
