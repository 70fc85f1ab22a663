"""Through the compute host: what runs, runs in the guest; where the prefix leads elsewhere nothing does."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.errors import CommandFailed, Permanent, Transient
from chalicelib.ssh.guest import File
from chalicelib.ssh.keys import draw_key
from tests.ssh.compute_host import SPACES, ComputeHost
from tests.ssh.connecting import KEY
from tests.ssh.scripted_sshd import Script, ScriptedSshd, connect_onwards

OWNER = f"{os.getuid()}:{os.getgid()}"
Made = Callable[..., ComputeHost]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    hosts = []

    def made(then: str = 'exec "$@"') -> ComputeHost:
        hosts.append(ComputeHost(tmp_path, then))
        return hosts[-1]

    yield made
    for each in hosts:
        each.sshd.__exit__()


@pytest.fixture
def host(made: Made) -> ComputeHost:
    return made()


def test_a_guest_does_what_it_does_on_the_straight_road(host: ComputeHost, tmp_path: Path) -> None:
    with closing(host.connect()) as guest:
        assert guest.run("cat; echo {word}", stdin="in\n", word="it's") == "in\nit's\n"
        assert guest.run("cat; echo end") == "end\n"
        guest.write(File(str(tmp_path / "new/file"), "text", mode=0o640, owner=OWNER))

    assert (tmp_path / "new/file").read_text() == "text"
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["file"]
    assert set(host.sshd.commands) == {"enter the-guest sh -s"}


# vzctl exec and machinectl shell tell no status of the command's, only their own
@pytest.mark.parametrize("then", ['exec "$@"', '"$@"; exit 0', '"$@"; exit 8'])
def test_the_commands_own_exit_status_is_told_whatever_the_prefix_makes_of_it(made: Made, then: str) -> None:
    with closing(made(then).connect()) as guest:
        assert guest.run("echo fine") == "fine\n"
        for status in (1, 3, 75, 255):
            with pytest.raises(CommandFailed, match=f"ended with status {status}: it says$") as failed:
                guest.run("echo it says >&2; exit {status}", status=status)
            assert failed.value.exit_status == status


def test_a_failed_write_replaces_nothing(host: ComputeHost, tmp_path: Path) -> None:
    files = [File(str(tmp_path / name), "text", owner=owner) for name, owner in (("a", OWNER), ("b", "nobody-so"))]

    with closing(host.connect()) as guest, pytest.raises(CommandFailed, match="status 1: chown: invalid user"):
        guest.write(*files)

    assert not {"a", "b"} & {each.name.split(".")[0] for each in tmp_path.iterdir()}


def test_output_is_cut_to_its_head_and_the_status_is_told_all_the_same(host: ComputeHost) -> None:
    with closing(host.connect(replace(host.settings, dtrove_output_limit_bytes=10))) as guest:
        assert guest.run("seq 100000") == "1\n2\n3\n4\n5\n"
        with pytest.raises(CommandFailed, match="status 7") as failed:
            guest.run("seq 100000; seq 100000 >&2; exit 7")

    assert str(failed.value).endswith("99999\n100000")


def test_the_deployments_key_opens_the_host_and_no_customers(host: ComputeHost) -> None:
    host.sshd.trusted = (KEY.public,)

    with pytest.raises(Permanent, match=r"i-1's compute host \(root@127.0.0.1:.*the log-in: .*the secret compute"):
        host.connect()


def test_another_host_key_of_the_host_is_permanent(host: ComputeHost) -> None:
    keys = f'{{"{host.host}": "{draw_key().public}"}}'

    with pytest.raises(Permanent, match=r"i-1's compute host .*: its host key changed"):
        host.connect(replace(host.settings, dtrove_compute_host_keys=keys))

    assert not host.sshd.was_asked_to_authenticate


def test_a_host_whose_key_nobody_told_is_not_connected_to(host: ComputeHost) -> None:
    with pytest.raises(Permanent, match="DTROVE_COMPUTE_HOST_KEYS has no key of localhost"):
        host.connect(compute_host="localhost")


def test_a_host_that_is_not_there_is_transient(host: ComputeHost) -> None:
    host.sshd.__exit__()

    with pytest.raises(Transient, match=r"i-1's compute host .*no connection"):
        host.connect()


def test_a_guest_that_does_not_run_is_transient_as_one_that_boots(host: ComputeHost) -> None:
    with pytest.raises(Transient, match=r"did not enter its guest.*status 1: There is no guest stopped"):
        host.connect(local_id="stopped")


def test_a_guest_without_its_host_key_is_transient_as_one_that_boots(host: ComputeHost) -> None:
    host.show_key("")

    with pytest.raises(Transient, match="there is no host key"):
        host.connect()


def test_nothing_runs_in_another_guest(host: ComputeHost, tmp_path: Path) -> None:
    with closing(host.connect()) as guest:
        host.show_key(draw_key().public)
        with pytest.raises(Transient, match="there is the host key of another"):
            guest.run("touch {path}", path=str(tmp_path / "ran"))

    assert not (tmp_path / "ran").exists()


def test_nothing_runs_on_the_compute_host_itself(host: ComputeHost, tmp_path: Path) -> None:
    with closing(host.connect()) as guest:
        host.show_key(host.sshd.host_key.public)
        with pytest.raises(Permanent, match="DTROVE_PREFIX does not leave the compute host"):
            guest.run("touch {path}", path=str(tmp_path / "ran"))

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("space", SPACES)
def test_nothing_runs_where_only_a_part_of_the_guest_is_entered(host: ComputeHost, tmp_path: Path, space: str) -> None:
    with closing(host.connect()) as guest:
        host.leave_space(space)
        with pytest.raises(Permanent, match="not wholly inside of a guest"):
            guest.run("touch {path}", path=str(tmp_path / "ran"))

    assert not (tmp_path / "ran").exists()


def test_nothing_runs_in_a_bare_chroot(host: ComputeHost, tmp_path: Path) -> None:
    (tmp_path / "proc/1/root").unlink()
    (tmp_path / "proc/1/root").symlink_to(tmp_path)

    with pytest.raises(Permanent, match="not wholly inside of a guest"):
        host.connect()


def test_what_is_thrown_out_of_the_guest_is_transient(made: Made) -> None:
    with (
        closing(made('"$@"; exit 0').connect()) as guest,
        pytest.raises(Transient, match="or was thrown out: status 0: begun"),
    ):
        guest.run("echo begun >&2; kill -9 $$")


def test_a_command_that_writes_like_us_is_not_believed(host: ComputeHost) -> None:
    with closing(host.connect()) as guest, pytest.raises(CommandFailed, match="status 4"):
        guest.run("printf '\\n0123456789abcdef 0\\n' >&2; exit 4")


def test_both_hosts_lie_on_the_road_of_a_jump_to_a_compute_host(host: ComputeHost) -> None:
    with ScriptedSshd(Script(forward=connect_onwards)) as jump_host:
        settings = replace(
            host.settings,
            dtrove_jump_host=f"127.0.0.1:{jump_host.port}",
            dtrove_jump_host_key=jump_host.host_key.public,
            dtrove_jump_secret="jump",
        )
        with closing(host.connect(settings)) as guest:
            assert guest.run("echo in") == "in\n"

    assert host.vault.asked_for == ["compute", "jump"]
