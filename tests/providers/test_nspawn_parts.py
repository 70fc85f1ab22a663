"""Parts of the nspawn provider that need no root: names, control groups of version 2, locks, records."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from ipaddress import IPv4Network
from pathlib import Path
from threading import Event

import pytest

from chalicelib.config import Config
from chalicelib.errors import ProviderError
from chalicelib.providers.nspawn.cgroups import Cgroup
from chalicelib.providers.nspawn.gates import rules
from chalicelib.providers.nspawn.host import PATH, lacking
from chalicelib.providers.nspawn.locks import locked, try_lock
from chalicelib.providers.nspawn.records import FILE, ServerRecord, VolumeRecord, discard, load, load_all, save
from chalicelib.providers.nspawn.site import Site


def site_at(root: Path) -> Site:
    return Site(root, root / "images", "br0", IPv4Network("10.0.0.0/24"))


def test_names_fit_where_they_are_used_and_tell_sites_apart(tmp_path: Path) -> None:
    here, there = site_at(tmp_path / "here"), site_at(tmp_path / "there")

    machine, veth = here.machine_names("a" * 64)

    assert len(machine) <= 64
    assert len(veth) <= 15
    assert machine.startswith(here.prefix)
    assert here.machine_names("a") != there.machine_names("a")
    assert here.machine_names("a") != here.machine_names("b")


@pytest.mark.parametrize("instance_id", ["", "..", "a/b", "a" * 65, ".hidden", "a b"])
def test_an_id_that_could_lead_out_of_the_site_is_refused(tmp_path: Path, instance_id: str) -> None:
    with pytest.raises(ProviderError):
        site_at(tmp_path).guest(instance_id)


def test_a_network_that_is_none_is_refused_by_its_variable() -> None:
    with pytest.raises(ProviderError, match="DTROVE_NSPAWN_NETWORK"):
        Site.of(Config(dtrove_nspawn_network="10.0.0.1/24"))


def server(name: str, cluster_id: str, address: str, cidrs: list[str] | None) -> ServerRecord:
    return ServerRecord(
        kind="server",
        resource_id=name,
        cluster_id=cluster_id,
        instance_id=name,
        machine=name,
        veth=name,
        address=address,
        image="debian-12",
        memory_mib=512,
        vcpus=1,
        user="root",
        host_key="ssh-ed25519 k",
        port=3306,
        allowed_cidrs=cidrs,
    )


def test_rules_are_only_of_guests_that_not_everybody_may_reach(tmp_path: Path) -> None:
    here = site_at(tmp_path)
    cidrs = ["10.1.2.3/16", "10.1.0.0/24", "203.0.113.7"]
    first, second = server("v1", "c1", "10.0.0.2", cidrs), server("v2", "c1", "10.0.0.3", None)
    third = server("v3", "c2", "10.0.0.4", ["0.0.0.0/0"])

    text = rules(here, [first, second, third])

    assert 'oifname vmap { "v1" : jump v1, "v3" : jump v3 }' in text
    assert "ip saddr { 10.0.0.1, 10.0.0.2, 10.0.0.3 } accept" in text
    assert "ip saddr { 10.1.0.0/16, 203.0.113.7/32 } tcp dport 3306 accept" in text
    assert "ip saddr { 10.0.0.1, 10.0.0.4 } accept" in text
    assert "ip saddr { 0.0.0.0/0 } tcp dport 3306 accept" in text
    assert rules(here, [second]) == ""


def test_a_record_of_a_server_made_before_there_was_access_lets_everybody_in(tmp_path: Path) -> None:
    record = asdict(server("v1", "c1", "10.0.0.2", []))
    del record["port"], record["allowed_cidrs"]
    (tmp_path / FILE).write_text(json.dumps(record))

    known = load(ServerRecord, tmp_path)

    assert known is not None
    assert known.allowed_cidrs is None


def test_the_network_s_ids_follow_from_the_settings() -> None:
    one, same = Site.of(Config()), Site.of(Config(dtrove_nspawn_root="/elsewhere"))
    other = Site.of(Config(dtrove_nspawn_bridge="br1", dtrove_nspawn_network="10.1.0.0/24"))

    assert one.only_network == same.only_network
    assert len({each.only_network.network_id for each in (one, other)}) == 2
    assert len({each.only_network.subnet_id for each in (one, other)}) == 2


def test_images_may_be_shared_between_roots(tmp_path: Path) -> None:
    alone = Site.of(Config(dtrove_nspawn_root=str(tmp_path)))
    sharing = Site.of(Config(dtrove_nspawn_root=str(tmp_path / "other"), dtrove_nspawn_images=str(alone.images)))

    assert alone.images == tmp_path / "images"
    assert sharing.images == alone.images


@pytest.mark.parametrize(
    ("platform", "user_id", "path", "said"),
    [
        ("darwin", 0, PATH, "Linux"),
        ("linux", 1000, PATH, "root"),
        ("linux", 0, "/nowhere", "systemd-nspawn (package systemd-container), ip (package iproute2)"),
    ],
)
def test_a_host_that_will_not_do_is_told_why(platform: str, user_id: int, path: str, said: str) -> None:
    assert (lacking(platform, user_id, path) or "").startswith(said)


@pytest.fixture
def version_2(tmp_path: Path) -> Path:
    """What a host with control groups of version 2 shows, as far as we read it."""
    for folder in (tmp_path, tmp_path / "dtrove-1"):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    return tmp_path


def test_limits_of_version_2(version_2: Path) -> None:
    cgroup = Cgroup("dtrove-1/guest", version_2)

    cgroup.ensure(memory_mib=512, vcpus=2)

    group = version_2 / "dtrove-1/guest"
    assert (group / "memory.max").read_text() == str(512 << 20)
    assert (group / "cpu.max").read_text() == "200000 100000"
    assert (group / "cpu.weight").read_text() == "200"
    assert cgroup.entrances == [group / "cgroup.procs"]
    for parent in (version_2, version_2 / "dtrove-1"):
        assert (parent / "cgroup.subtree_control").read_text() == "+memory +cpu +pids +io"


def test_no_swap_beyond_the_limit_where_the_kernel_has_any(version_2: Path) -> None:
    group = version_2 / "dtrove-1/guest"
    group.mkdir()
    (group / "memory.swap.max").write_text("max\n")

    Cgroup("dtrove-1/guest", version_2).ensure(memory_mib=512, vcpus=2)

    assert (group / "memory.swap.max").read_text() == "0"
    assert not (group / "memory.swappiness").exists()


def test_processes_of_a_group_are_those_of_the_groups_in_it_too(version_2: Path) -> None:
    cgroup = Cgroup("dtrove-1/guest", version_2)
    for folder, processes in (("", "10\n"), ("payload", "11\n12\n"), ("payload/init.scope", "0\n13\n")):
        (version_2 / "dtrove-1/guest" / folder).mkdir()
        (version_2 / "dtrove-1/guest" / folder / "cgroup.procs").write_text(processes)

    assert cgroup.processes() == {10, 11, 12, 13}


def test_groups_in_a_group_are_thawed_too(version_2: Path) -> None:
    group = version_2 / "dtrove-1/guest"
    for folder in (group, group / "payload"):
        folder.mkdir()
        (folder / "cgroup.freeze").write_text("1")
    (group / "freezer.state").write_text("FROZEN")

    Cgroup("dtrove-1/guest", version_2).thaw()

    assert [each.read_text() for each in sorted(group.rglob("*.*"))] == ["0", "THAWED", "0"]


def test_a_host_that_cannot_set_limits_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="control groups"):
        Cgroup("dtrove-1/guest", tmp_path / "nowhere").ensure(memory_mib=512, vcpus=1)


def test_a_lock_is_held_by_one_at_a_time_and_leaves_no_file(tmp_path: Path) -> None:
    inside, most_inside = 0, 0

    def work(_: int) -> None:
        nonlocal inside, most_inside
        with locked(tmp_path / "locks/one"):
            inside += 1
            most_inside = max(most_inside, inside)
            Event().wait(0.001)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))

    assert most_inside == 1
    assert list((tmp_path / "locks").iterdir()) == []


def test_an_error_of_the_host_is_the_providers(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="refused"), locked(tmp_path / "one"):
        (tmp_path / "nowhere/file").write_text("")


def test_a_shared_lock_tells_whether_another_is_held(tmp_path: Path) -> None:
    with locked(tmp_path / "one"):
        assert try_lock(tmp_path / "one", shared=True) is None


def test_a_record_goes_last(tmp_path: Path) -> None:
    record = VolumeRecord(kind="volume", resource_id="v", cluster_id="c", instance_id="i", size_gib=1)
    save(record, tmp_path / "v")
    (tmp_path / "v/disk").write_text("data")
    assert load(VolumeRecord, tmp_path / "v") == record
    assert list(load_all(VolumeRecord, tmp_path)) == [record]

    discard(tmp_path / "v")
    discard(tmp_path / "v")

    assert load(VolumeRecord, tmp_path / "v") is None
    assert list(tmp_path.iterdir()) == []
