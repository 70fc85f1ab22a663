"""Real guests that cannot be reached straight away: behind a jump host, and inside of a compute host."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import Config
from chalicelib.errors import CommandFailed, Permanent, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.connection import PrivateKey
from chalicelib.ssh.guest import File, UnitState
from chalicelib.ssh.keys import draw_key
from chalicelib.ssh.roads import road_to, travel
from tests.datastores.clients import CLIENTS
from tests.datastores.real_cluster import SETTINGS, RealCluster, guests_of
from tests.ssh.deployed import Vault

pytestmark = pytest.mark.guests

GOLDEN = "debian-12-golden"
NESTED = (Path(__file__).parent / "nested.sh").read_text()
NESTED_NETWORK = "10.79.80"  # between the nested guests and their host, which is its .1
ENTER = "sudo enter %(local_id)s "


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    with guests_of(tmp_path_factory.mktemp("nspawn"), "dtroveroads", "10.79.79.0/24") as provider:
        yield provider


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault()


@pytest.fixture(scope="module")
def between(provider: NspawnProvider, vault: Vault) -> Instance:
    """A server that is no database's, and lets the deployment in: as a jump host, and as a compute host."""
    host_key = draw_key()
    between = Instance(instance_id="between", cluster_id="between", flavor_id="4", memory_mib=4096)
    birth = Birth(GOLDEN, "dtrove", vault.pair.public, host_key.public, host_key.private)
    provider.create(between, birth)
    patiently(partial(SshGuest.connect, between, vault.pair.private, settings=SETTINGS))
    return between


def patiently(connect: Callable[[], SshGuest], seconds: float = 60.0) -> None:
    """Connect until it succeeds, as to a guest that boots."""
    end = time.monotonic() + seconds
    while True:
        try:
            return connect().close()
        except Transient:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextmanager
def no_straight_way_to(address: str) -> Iterator[None]:
    """Have this host reach the address no more. The guests reach each other: their bridge routes nothing."""
    subprocess.run(["ip", "route", "add", "prohibit", f"{address}/32"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "route", "delete", "prohibit", f"{address}/32"], check=True)


@pytest.fixture(scope="module")
def jumping(between: Instance, vault: Vault) -> Config:
    """Settings with a jump host that lets a user without a shell through to port 22, and to nothing else."""
    with on_host(between, vault) as host:
        host.run("useradd --create-home --shell /usr/sbin/nologin jump")
        line = f'restrict,port-forwarding,permitopen="*:22" {vault.pair.public}\n'
        host.write(File("/home/jump/.ssh/authorized_keys", line, owner="jump:"))
    return replace(
        SETTINGS,
        dtrove_jump_host=str(between.address),
        dtrove_jump_user="jump",
        dtrove_jump_host_key=between.host_key,
        dtrove_jump_secret="jump",
    )


def test_a_database_is_provisioned_through_a_jump_host(provider: NspawnProvider, jumping: Config, vault: Vault) -> None:
    cluster = RealCluster(provider, "redis", GOLDEN, settings=jumping, own_keys=vault.keys())
    (instance,) = cluster.add_members(1)
    instance.ip_address = "10.79.79.99"
    try:
        with no_straight_way_to(str(instance.ip_address)):
            cluster.provision([instance])
            cluster.start_primary()
            with pytest.raises(Transient, match="no connection"):
                SshGuest.connect(instance, cluster.key.private, settings=SETTINGS)
        client = CLIENTS["redis"](str(instance.address), cluster.passwords.root)
        client.write("word", "well")

        assert client.read("word") == "well"
    finally:
        cluster.destroy()


def test_a_real_sshds_reasons_are_told_apart(between: Instance, jumping: Config, vault: Vault) -> None:
    nobody = Instance(instance_id="i-1", address="10.79.79.250", user="root", host_key=between.host_key)
    here = Instance(instance_id="i-2", address="127.0.0.1", user="jump", host_key=between.host_key)

    def reach(instance: Instance, settings: Config) -> SshGuest:
        return SshGuest.connect(instance, vault.pair.private, settings=settings, own_keys=vault.keys())

    with pytest.raises(Transient, match=r"^i-1 .* no connection: the jump host .*"):
        reach(nobody, jumping)
    with pytest.raises(Transient, match=r"^i-2 .* no connection: the jump host .* says: Connect failed"):
        reach(here, replace(jumping, dtrove_ssh_port=24, dtrove_jump_user="dtrove"))  # who may go anywhere
    with pytest.raises(Permanent, match=r"^i-2 .*the jump host .* does not let us through"):
        reach(here, replace(jumping, dtrove_ssh_port=23))
    with closing(reach(here, jumping)) as guest, pytest.raises(CommandFailed, match="status 1"):
        guest.run("true")  # it goes through, to itself: where its user has no shell


@pytest.fixture(scope="module")
def nested(provider: NspawnProvider, between: Instance, vault: Vault) -> RealCluster:
    """A cluster of two, whose servers are guests inside of another."""
    settings = replace(
        SETTINGS,
        dtrove_prefix=ENTER,
        dtrove_ssh_host="%(compute_host)s",
        dtrove_compute_host_keys=f'{{"{between.address}": "{between.host_key}"}}',
        dtrove_compute_user="dtrove",
        dtrove_compute_secret="compute",
    )
    cluster = RealCluster(provider, "mysql", GOLDEN, volume_gib=None, settings=settings, own_keys=vault.keys())
    with on_host(between, vault) as host:
        host.write(File("/root/nested.sh", NESTED))
        for number, instance in enumerate(cluster.add_members(2)):
            bear_inside(host, instance, f"nested{number}", f"{NESTED_NETWORK}.{number + 2}")
            instance.compute_host = between.address
    for each in cluster.members:
        patiently(partial(reached, cluster, each))
    return cluster


def reached(cluster: RealCluster, instance: Instance, **changes: Any) -> SshGuest:
    settings = replace(cluster.settings, **changes)
    return SshGuest.connect(instance, cluster.key.private, settings=settings, own_keys=cluster.own_keys)


def bear_inside(host: SshGuest, instance: Instance, name: str, address: str) -> None:
    host_key = draw_key()
    instance.local_id, instance.address, instance.user, instance.host_key = name, address, "root", host_key.public
    host.run(
        "sh /root/nested.sh {name} {ours} {theirs}",
        stdin=host_key.private,
        name=name,
        ours=f"{NESTED_NETWORK}.1",
        theirs=address,
    )


@contextmanager
def on_host(between: Instance, vault: Vault) -> Iterator[SshGuest]:
    settings = replace(SETTINGS, dtrove_prefix="sudo ")
    with closing(SshGuest.connect(between, vault.pair.private, settings=settings)) as guest:
        yield guest


def test_databases_are_provisioned_in_guests_that_only_their_host_enters(
    nested: RealCluster, between: Instance, vault: Vault
) -> None:
    nested.on_each("prepare", nested.members, nested.prepare)
    nested.start_primary()
    nested.join(nested.replicas)

    write, read = "CREATE DATABASE shop", "SHOW DATABASES LIKE 'shop'"
    with on_host(between, vault) as host:
        ask(host, nested.primary, nested.passwords.root, write)
        assert any(ask(host, nested.replicas[0], nested.passwords.root, read) == "shop" for _ in range(50))
        ours = host.run("ls -d /opt/dtrove /run/dtrove 2>/dev/null; systemctl is-active mariadb || true")
        units = host.run("systemctl list-units --all --plain --no-legend 'dtrove-*'")
    assert (ours, units) == ("inactive\n", "")


def ask(host: SshGuest, instance: Instance, password: str, statement: str) -> str:
    """Ask a nested guest's server from its host, as a client over their network."""
    address = str(instance.address)
    command = "MYSQL_PWD=$(cat) mariadb --batch --skip-column-names --host={address} --user=root --execute={statement}"
    return host.run(command, stdin=password, address=address, statement=statement).strip()


def test_whatever_a_guest_can_be_told_is_done_in_there(nested: RealCluster, between: Instance, vault: Vault) -> None:
    with nested.guest(nested.primary) as guest:
        assert guest.run("id --user --name; hostname; cat", stdin="in\n") == "root\nnested0\nin\n"
        with pytest.raises(CommandFailed, match=r"status 3: the reason$"):
            guest.run("echo the reason >&2; exit 3")
        guest.write(File("/etc/dtrove-roads/conf", "secret\n" * 10_000, mode=0o640, owner="root:mysql"))
        assert guest.run("stat --format='%a %U:%G %s' /etc/dtrove-roads/conf") == "640 root:mysql 70000\n"
        assert len(guest.run("seq 1000000")) == SETTINGS.dtrove_output_limit_bytes

        guest.start("dtrove-roads", "sleep 0.3; hostname; echo {word}", word="it's $HOME")
        assert guest.state("dtrove-roads", wait_seconds=30) is UnitState.SUCCEEDED
        assert guest.output("dtrove-roads") == "nested0\nit's $HOME\n"
        guest.forget("dtrove-roads")
        assert guest.state("dtrove-roads") is UnitState.NOT_STARTED
        assert "it's" not in guest.run("ps -ef")

    with on_host(between, vault) as host:
        assert host.run("ls -d /etc/dtrove-roads /run/dtrove 2>/dev/null || echo neither") == "neither\n"


def test_a_command_that_takes_too_long_is_transient_and_the_next_one_comes_through(nested: RealCluster) -> None:
    settings, road = nested.settings, road_to(nested.primary, nested.settings)
    connection = travel(road, PrivateKey(nested.key.private), settings, nested.own_keys)
    hasty = replace(settings, dtrove_command_timeout_seconds=1.0)
    with closing(SshGuest(connection, "i", road, hasty)) as guest, pytest.raises(Transient, match="took over 1 s"):
        guest.run("sleep 60")

    assert nested.run(nested.primary, "echo in") == "in\n"


LEADER = "$(pgrep -P $(systemctl show --property=MainPID --value nested-$0))"
NSENTER = f"""sudo sh -c 'exec nsenter --target {LEADER} {{}} "$@"' %(local_id)s """
HALF = "not wholly inside of a guest"
ELSEWHERE = {
    "the compute host": ("sudo env GUEST=%(local_id)s ", "does not leave the compute host"),
    "only its files": ("sudo chroot /nested/%(local_id)s/root ", HALF),
    "its mounts": (NSENTER.format("--mount"), HALF),
    "all but its network": (NSENTER.format("--mount --pid --uts --ipc"), HALF),
}


@pytest.mark.parametrize(("prefix", "reason"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_prefix_that_leads_elsewhere_runs_nothing(nested: RealCluster, prefix: str, reason: str) -> None:
    with pytest.raises(Permanent, match=reason):
        reached(nested, nested.primary, dtrove_prefix=prefix)


def test_a_guest_that_stops_in_the_middle_is_transient(nested: RealCluster, between: Instance, vault: Vault) -> None:
    """Keep it last: the nested guest is not started again."""
    with nested.guest(nested.primary) as guest, on_host(between, vault) as host:
        host.run("systemd-run --quiet sh -c 'sleep 0.5; systemctl kill --signal=KILL nested-nested0'")
        with pytest.raises(Transient):
            guest.run("sleep 60")
        with pytest.raises(Transient, match="Guest nested0 does not run"):
            guest.run("true")
