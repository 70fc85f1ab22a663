"""Through a jump host: everything as on the straight road, two host keys, and each failure told of whom it is."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import paramiko
import pytest

from chalicelib.config import Config
from chalicelib.errors import CommandFailed, Permanent, StepError, Transient
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.connection import Connection, Endpoint, PrivateKey
from chalicelib.ssh.guest import File
from chalicelib.ssh.keys import draw_key
from chalicelib.ssh.own_keys import OwnKeys
from tests.ssh.connecting import HASTY_BANNER, HASTY_COMMAND, HASTY_LOGIN, KEY, PATIENT, instance_of
from tests.ssh.deployed import Vault
from tests.ssh.scripted_sshd import Script, ScriptedSshd, connect_onwards, hang
from tests.ssh.test_hostile_sshd import (
    announce_two_gigabytes,
    drop,
    ends_soon,
    flood,
    greet_and_hang,
    refuse,
    say_nothing,
    stay_silent,
    talk_nonsense,
)

FORWARDING = Script(forward=connect_onwards)
OWNER = f"{os.getuid()}:{os.getgid()}"
HASTY_CONNECT = replace(PATIENT, dtrove_ssh_connect_timeout_seconds=0.4)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def jump_host(vault: Vault) -> Iterator[ScriptedSshd]:
    with ScriptedSshd(FORWARDING) as jump_host:
        jump_host.trusted = (vault.pair.public,)
        yield jump_host


def through(
    jump_host: ScriptedSshd, sshd: ScriptedSshd, keys: OwnKeys, settings: Config = PATIENT, **changes: Any
) -> SshGuest:
    settings = replace(
        settings,
        dtrove_ssh_port=sshd.port,
        dtrove_jump_host=f"127.0.0.1:{jump_host.port}",
        dtrove_jump_host_key=changes.pop("jump_host_key", jump_host.host_key.public),
        dtrove_jump_secret="jump",
    )
    return SshGuest.connect(instance_of(sshd, **changes), KEY.private, settings=settings, own_keys=keys)


def test_a_guest_does_through_it_what_it_does_without(jump_host: ScriptedSshd, vault: Vault, tmp_path: Any) -> None:
    with ScriptedSshd() as sshd, closing(through(jump_host, sshd, vault.keys())) as guest:
        assert guest.run("cat; echo {word}", stdin="in\n" * 500_000, word="it's").startswith("in\nin\n")
        assert guest.run("echo {word}", word="it's") == "it's\n"
        with pytest.raises(CommandFailed, match="status 3"):
            guest.run("exit 3")
        path = tmp_path / "file"
        guest.write(File(str(path), "text", owner=OWNER))

        assert path.read_text() == "text"
        assert (jump_host.commands, set(sshd.commands)) == ([], {"sh -s"})


def test_each_host_is_shown_the_key_that_is_meant_for_it(jump_host: ScriptedSshd, vault: Vault) -> None:
    with ScriptedSshd() as sshd:
        sshd.trusted = (KEY.public,)
        with closing(through(jump_host, sshd, vault.keys())) as guest:
            assert guest.run("echo in") == "in\n"


def test_100_megabytes_of_output_are_read_and_thrown_away(jump_host: ScriptedSshd, vault: Vault) -> None:
    with ScriptedSshd(Script(execute=flood)) as sshd, closing(through(jump_host, sshd, vault.keys())) as guest:
        assert guest.run("true") == "o" * 1000


def test_its_key_is_fetched_once_a_worker(jump_host: ScriptedSshd, vault: Vault) -> None:
    keys = vault.keys()
    with ScriptedSshd() as sshd:
        for _ in range(3):
            through(jump_host, sshd, keys).close()

    assert vault.asked_for == ["jump"]


def test_it_is_kept_while_the_host_is_away(jump_host: ScriptedSshd, vault: Vault) -> None:
    keys = vault.keys()
    with ScriptedSshd() as sshd:
        through(jump_host, sshd, keys).close()
        jump_host.__exit__()
        with pytest.raises(Transient):
            through(jump_host, sshd, keys)

    assert vault.asked_for == ["jump"]


def test_a_key_that_was_changed_is_fetched_anew_when_the_old_one_is_refused(
    jump_host: ScriptedSshd, vault: Vault
) -> None:
    keys = vault.keys()
    with ScriptedSshd() as sshd:
        through(jump_host, sshd, keys).close()
        vault.change()
        jump_host.trusted = (vault.pair.public,)
        with closing(through(jump_host, sshd, keys)) as guest:
            assert guest.run("echo in") == "in\n"

    assert len(vault.asked_for) == 2


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_key_that_it_does_not_take_is_permanent(jump_host: ScriptedSshd, vault: Vault, is_warm: bool) -> None:
    keys = vault.keys()
    with ScriptedSshd() as sshd:
        if is_warm:
            through(jump_host, sshd, keys).close()
        jump_host.trusted = ()
        with pytest.raises(Permanent, match=r"the jump host \(dtrove@127.0.0.1:.*the log-in: .*the secret jump"):
            through(jump_host, sshd, keys)
        assert vault.asked_for == ["jump"] * (1 + is_warm)

        jump_host.trusted = (vault.pair.public,)  # somebody let it in: not another Lambda is needed
        through(jump_host, sshd, keys).close()


def test_a_key_with_a_passphrase_opens_it(jump_host: ScriptedSshd) -> None:
    vault = Vault(draw_key("correct horse"), "correct horse")
    jump_host.trusted = (vault.pair.public,)

    with ScriptedSshd() as sshd:
        through(jump_host, sshd, vault.keys()).close()


@pytest.mark.parametrize(
    "text",
    ['"sesame"', "sesame", "{}", '{"private_key": "sesame"}', '["private_key"]', "null", '{"key": "sesame"}'],
)
def test_a_secret_that_is_none_is_permanent_not_shown_and_not_kept(
    jump_host: ScriptedSshd, vault: Vault, text: str
) -> None:
    keys = vault.keys()
    with ScriptedSshd() as sshd:
        vault.text = text
        with pytest.raises(Permanent) as refused:
            through(jump_host, sshd, keys)
        assert refused.value.__suppress_context__
        assert "sesame" not in str(refused.value)

        vault.text = None
        through(jump_host, sshd, keys).close()


def test_another_host_key_of_it_is_permanent(jump_host: ScriptedSshd, vault: Vault) -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent, match=r"the jump host \(.*: its host key changed: SHA256:"):
        through(jump_host, sshd, vault.keys(), jump_host_key=draw_key().public)

    assert not jump_host.was_asked_to_authenticate


def test_another_host_key_of_the_guest_is_permanent(jump_host: ScriptedSshd, vault: Vault) -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent, match=r"i-1 \(root@127.0.0.1:.*: its host key changed"):
        through(jump_host, sshd, vault.keys(), host_key=draw_key().public)

    assert not sshd.was_asked_to_authenticate


def test_a_jump_host_that_is_not_there_is_transient_and_named(vault: Vault) -> None:
    with ScriptedSshd() as jump_host:
        pass

    with ScriptedSshd() as sshd, pytest.raises(Transient, match=r"^the jump host \(dtrove@127.0.0.1:\d+\): no connec"):
        through(jump_host, sshd, vault.keys())


def die(_closing: threading.Event) -> bool:
    raise EOFError


@pytest.mark.parametrize(
    ("script", "settings", "reason"),
    [
        pytest.param(Script(greet=say_nothing), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no banner"),
        pytest.param(Script(greet=greet_and_hang), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no more"),
        pytest.param(Script(greet=announce_two_gigabytes), PATIENT, "a packet of 2147", id="huge"),
        pytest.param(Script(authenticate=hang), HASTY_LOGIN, "the log-in: took over 0.4 s", id="hangs in log-in"),
        pytest.param(Script(authenticate=die), PATIENT, "the log-in: ", id="dies in log-in"),
    ],
)
def test_a_jump_host_that_misbehaves_holds_us_no_longer(
    vault: Vault, script: Script, settings: Config, reason: str
) -> None:
    with ScriptedSshd(script) as jump_host, ScriptedSshd() as sshd, ends_soon(), pytest.raises(Transient) as failed:
        through(jump_host, sshd, vault.keys(), settings)

    assert str(failed.value).startswith(f"the jump host (dtrove@127.0.0.1:{jump_host.port}): ")
    assert reason in str(failed.value)


@pytest.mark.parametrize(
    ("script", "settings", "reason"),
    [
        pytest.param(Script(greet=say_nothing), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no banner"),
        pytest.param(Script(greet=greet_and_hang), HASTY_BANNER, "the SSH handshake: took over 0.4 s", id="no more"),
        pytest.param(Script(greet=talk_nonsense), HASTY_BANNER, "the SSH handshake: ", id="nonsense"),
        pytest.param(
            Script(greet=announce_two_gigabytes), PATIENT, "the SSH handshake: [Errno 90] a packet of 2147", id="huge"
        ),
        pytest.param(Script(authenticate=hang), HASTY_LOGIN, "the log-in: took over 0.4 s", id="hangs in log-in"),
    ],
)
def test_a_guest_that_misbehaves_is_told_as_without(
    jump_host: ScriptedSshd, vault: Vault, script: Script, settings: Config, reason: str
) -> None:
    bastion = Endpoint("the jump host", "127.0.0.1", jump_host.port, "dtrove", jump_host.host_key.public)
    with ScriptedSshd(script) as sshd:
        guest = Endpoint("i-1", "127.0.0.1", sshd.port, "root", sshd.host_key.public)
        beneath = vault.keys().log_in(bastion, "jump", PATIENT)  # it is not the one that meets the limit
        with ends_soon(), pytest.raises(Transient) as failed:
            Connection.open(guest, PrivateKey(KEY.private), settings, beneath)

    assert f"i-1 (root@127.0.0.1:{sshd.port}): {reason}" in str(failed.value)


def test_a_guest_that_refuses_its_clusters_key_is_transient_as_one_that_boots(
    jump_host: ScriptedSshd, vault: Vault
) -> None:
    with (
        ScriptedSshd(Script(authenticate=refuse)) as sshd,
        pytest.raises(Transient, match=r"^i-1 .*: the log-in: Auth"),
    ):
        through(jump_host, sshd, vault.keys())


def never(_destination: tuple[str, int], closing: threading.Event) -> socket.socket | int:
    hang(closing)
    return int(paramiko.OPEN_FAILED_CONNECT_FAILED)


@pytest.mark.parametrize(
    ("script", "settings", "error", "reason"),
    [
        pytest.param(FORWARDING, PATIENT, Transient, "no connection: .*Connect failed", id="nobody there"),
        pytest.param(Script(forward=never), HASTY_CONNECT, Transient, "no connection: .*took over 0.4 s", id="silence"),
        pytest.param(Script(), PATIENT, Permanent, "the jump host .* does not let us through", id="not allowed"),
        pytest.param(
            Script(forward=lambda _to, _closing: int(paramiko.OPEN_FAILED_RESOURCE_SHORTAGE)),
            PATIENT,
            Transient,
            "no connection: .*Resource shortage",
            id="overwhelmed",
        ),
    ],
)
def test_a_guest_that_it_does_not_reach(
    vault: Vault, script: Script, settings: Config, error: type[StepError], reason: str
) -> None:
    with ScriptedSshd() as sshd:
        pass

    with (
        ScriptedSshd(script) as jump_host,
        ends_soon(),
        pytest.raises(error, match=rf"^i-1 \(root@127.0.0.1:{sshd.port}\): {reason}"),
    ):
        through(jump_host, sshd, vault.keys(), settings)


@pytest.mark.parametrize("execute", [drop, stay_silent])
def test_a_command_whose_end_is_not_known_is_transient(jump_host: ScriptedSshd, vault: Vault, execute: Any) -> None:
    with (
        ScriptedSshd(Script(execute=execute)) as sshd,
        closing(through(jump_host, sshd, vault.keys(), HASTY_COMMAND)) as guest,
        ends_soon(),
    ):
        with pytest.raises(Transient, match=r"i-1 .*the command: "):
            guest.run("cat", stdin="x" * 20_000_000)
        with pytest.raises(Transient):
            guest.run("true")


def test_a_jump_host_that_dies_takes_the_command_with_it(vault: Vault) -> None:
    with ScriptedSshd(FORWARDING) as jump_host, ScriptedSshd(Script(execute=stay_silent)) as sshd:
        guest = through(jump_host, sshd, vault.keys())
        killer = threading.Timer(0.2, jump_host.__exit__)
        killer.start()
        with closing(guest), ends_soon(), pytest.raises(Transient, match=r"i-1 .*the command: "):
            guest.run("true")
        killer.join()


def test_closing_ends_both_connections(jump_host: ScriptedSshd, vault: Vault) -> None:
    with ScriptedSshd() as sshd:
        guest = through(jump_host, sshd, vault.keys())
        guest.close()
        guest.close()
        with pytest.raises(Transient):
            guest.run("true")

        for host in (jump_host, sshd):
            assert host.has_no_client(within_seconds=5)
