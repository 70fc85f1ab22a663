"""Units, files and the journal of a real Debian, as a user who must use sudo."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.config import Config
from chalicelib.errors import CommandFailed, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.removal import everything_left, remove_everything
from chalicelib.providers.nspawn.site import Site
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.guest import File, UnitState
from chalicelib.ssh.keys import draw_key
from local import images

pytestmark = pytest.mark.guests

KEY, HOST_KEY = draw_key(), draw_key()
BOOT_SECONDS = 60.0
SETTINGS = Config(dtrove_prefix="sudo ", dtrove_nspawn_bridge="dtrovessh", dtrove_nspawn_network="10.79.77.0/24")
INSTANCE = Instance(instance_id="ssh", cluster_id="ssh", flavor_id="1", memory_mib=512, host_key=HOST_KEY.public)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    """A provider with one server, and nothing else but the shared images."""
    images.build(Path(SETTINGS.dtrove_nspawn_root))
    root = str(tmp_path_factory.mktemp("nspawn"))
    shared = f"{SETTINGS.dtrove_nspawn_root}/images"
    site = Site.of(replace(SETTINGS, dtrove_nspawn_root=root, dtrove_nspawn_images=shared))
    birth = Birth(images.BASE, "dtrove", KEY.public, HOST_KEY.public, HOST_KEY.private)
    try:
        provider = NspawnProvider(site)
        provider.create(INSTANCE, birth)
        yield provider
    finally:
        remove_everything(site)
    assert everything_left(site) == []


@pytest.fixture
def guest(provider: NspawnProvider) -> Iterator[SshGuest]:
    with closing(reached()) as guest:
        yield guest


def reached() -> SshGuest:
    end = time.monotonic() + BOOT_SECONDS
    while True:
        try:
            return SshGuest.connect(INSTANCE, KEY.private, settings=SETTINGS)
        except Transient:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_commands_run_as_root(guest: SshGuest) -> None:
    assert guest.run("id --user --name") == "root\n"


def test_a_file_belongs_to_whom_it_should(guest: SshGuest) -> None:
    guest.write(File("/etc/dtrove/new/conf", "secret", mode=0o640, owner="root:dtrove"))

    assert (
        guest.run("stat --format='%a %U:%G' /etc/dtrove/new/conf /etc/dtrove/new") == "640 root:dtrove\n755 root:root\n"
    )
    assert guest.run("cat /etc/dtrove/new/conf") == "secret"


def test_a_unit_runs_once_and_outlives_the_connection(provider: NspawnProvider) -> None:
    word = """it's $HOME ${HOME} %h "quoted" \\"""
    with closing(reached()) as guest:
        assert guest.state("dtrove-once") is UnitState.NOT_STARTED
        guest.start("dtrove-once", "sleep 0.5; printf '%s\\n' {word} | tee -a /root/once", word=word)

    with closing(reached()) as guest:
        guest.start("dtrove-once", "echo twice >>/root/once")
        assert guest.state("dtrove-once", wait_seconds=30) is UnitState.SUCCEEDED
        guest.start("dtrove-once", "echo thrice >>/root/once")

        assert guest.run("cat /root/once") == f"{word}\n"
        assert word in guest.output("dtrove-once").splitlines()
        assert "it's" not in guest.run("systemctl show dtrove-once; ps -ef")


def test_a_unit_that_failed_says_why_and_can_be_started_again(guest: SshGuest) -> None:
    guest.start("dtrove-fails", "echo first; echo the reason >&2; exit 4")
    assert guest.state("dtrove-fails", wait_seconds=30) is UnitState.FAILED
    assert "the reason" in guest.output("dtrove-fails").splitlines()

    guest.forget("dtrove-fails")
    guest.forget("dtrove-fails")
    assert guest.state("dtrove-fails") is UnitState.NOT_STARTED
    guest.start("dtrove-fails", "echo second")

    assert guest.state("dtrove-fails", wait_seconds=30) is UnitState.SUCCEEDED
    assert "second" in guest.output("dtrove-fails").splitlines()
    assert "first" not in guest.output("dtrove-fails").splitlines()


def test_waiting_for_a_unit_ends_when_the_time_is_up(guest: SshGuest) -> None:
    guest.start("dtrove-long", "sleep 1000")

    assert guest.state("dtrove-long", wait_seconds=0.5) is UnitState.RUNNING

    guest.forget("dtrove-long")
    assert guest.state("dtrove-long") is UnitState.NOT_STARTED


def test_a_long_output_is_cut_to_its_tail(guest: SshGuest) -> None:
    guest.start("dtrove-talks", "seq -f 'line %06g' 1 5000; echo 'the end'")
    guest.state("dtrove-talks", wait_seconds=30)

    output = guest.output("dtrove-talks")

    assert len(output) <= SETTINGS.dtrove_output_limit_bytes
    assert "the end" in output.splitlines()[-5:]


def test_a_unit_that_cannot_be_started_is_an_error(guest: SshGuest) -> None:
    with pytest.raises(CommandFailed, match="starting not a unit"):
        guest.start("not a unit/..", "true")


def test_a_reboot_loses_the_unit_and_never_shows_it_as_failed(provider: NspawnProvider) -> None:
    with closing(reached()) as guest:
        guest.start("dtrove-rebooted", "sleep 1000")
    provider.reboot(INSTANCE)

    seen = set()
    end = time.monotonic() + BOOT_SECONDS
    while UnitState.NOT_STARTED not in seen and time.monotonic() < end:
        with suppress(Transient), closing(reached()) as guest:
            seen.add(guest.state("dtrove-rebooted"))

    assert seen <= {UnitState.RUNNING, UnitState.NOT_STARTED}
    assert UnitState.NOT_STARTED in seen
