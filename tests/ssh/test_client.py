"""A guest that behaves: what runs, what comes back, what a failure says."""

import os
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chalicelib.errors import CommandFailed, Permanent, Transient
from chalicelib.ssh.client import SshGuest
from chalicelib.ssh.guest import File
from chalicelib.ssh.keys import draw_key
from tests.ssh.connecting import PATIENT, connect, instance_of
from tests.ssh.scripted_sshd import ScriptedSshd

OWNER = f"{os.getuid()}:{os.getgid()}"


def test_a_command_reads_nothing_unless_something_is_given(guest: SshGuest) -> None:
    assert guest.run("cat; echo end") == "end\n"


def test_a_cut_script_does_nothing(guest: SshGuest) -> None:
    with pytest.raises(CommandFailed, match="status 2"):
        guest.run("echo begun\nif true; then")


@pytest.mark.parametrize("stdin", ["", "input"])
@pytest.mark.parametrize("command", ["exit 3", "sh -c 'exit 3'", "false || exit 3; echo never"])
def test_the_commands_exit_status_is_told(guest: SshGuest, command: str, stdin: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        guest.run(command, stdin=stdin)

    assert failed.value.exit_status == 3


def test_a_failure_says_the_command_as_written_and_the_end_of_its_standard_error(guest: SshGuest) -> None:
    with pytest.raises(CommandFailed) as failed:
        guest.run("echo {name}; seq 1000 >&2; echo lost >&2; exit 7", name="the customer's")

    assert str(failed.value).startswith("i-1: 'echo {name}; seq 1000 >&2; echo lost >&2; exit 7' ended with status 7: ")
    assert str(failed.value).endswith("999\n1000\nlost")
    assert len(str(failed.value)) < 700


def test_output_is_cut_to_its_head() -> None:
    with ScriptedSshd() as sshd, closing(connect(sshd)) as guest:
        assert guest.run("seq 100000") == "".join(f"{number}\n" for number in range(1, 1000))[:1000]


def test_commands_share_one_connection(guest: SshGuest) -> None:
    assert [guest.run("echo {number}", number=number) for number in range(20)] == [
        f"{number}\n" for number in range(20)
    ]


def test_a_file_gets_its_mode_its_folders_and_its_owner(guest: SshGuest, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "conf"

    guest.write(File(str(path), "one", mode=0o640, owner=OWNER))
    guest.write(File(str(path), "two", mode=0o604, owner=OWNER))

    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o7777 == 0o604
    assert path.parent.stat().st_mode & 0o7777 == 0o755
    assert [entry.name for entry in path.parent.iterdir()] == ["conf"]


def test_a_write_that_fails_leaves_the_old_file_alone(guest: SshGuest, tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text("old")

    with pytest.raises(CommandFailed, match=r"writing .*conf ended with status 1: chown: invalid user"):
        guest.write(File(str(path), "new", owner="nobody-of-that-name"))

    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["conf"]


def test_if_one_file_cannot_be_written_none_is_replaced(guest: SshGuest, tmp_path: Path) -> None:
    files = [File(str(tmp_path / name), f"text of {name}", owner=OWNER) for name in ("first", "second", "third")]

    guest.write(*files)
    for each in files:
        assert Path(each.path).read_text() == each.text
        Path(each.path).unlink()
    files[1] = File(files[1].path, "", owner="nobody-of-that-name")
    with pytest.raises(CommandFailed, match=r"writing .*first, .*second, .*third ended with status 1: chown: invalid"):
        guest.write(*files)

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_not_written_through_a_link_that_lies_in_its_way(guest: SshGuest, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("kept")
    (tmp_path / "conf").symlink_to(target)

    guest.write(File(str(tmp_path / "conf"), "new", owner=OWNER))

    assert (target.read_text(), (tmp_path / "conf").read_text()) == ("kept", "new")
    assert not (tmp_path / "conf").is_symlink()


def test_a_reader_sees_the_old_file_or_the_new_one(guest: SshGuest, tmp_path: Path) -> None:
    path = tmp_path / "conf"
    versions = [letter * 100_000 for letter in "ab"]
    path.write_text(versions[0])
    seen: set[str] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    for number in range(20):
        guest.write(File(str(path), versions[number % 2], owner=OWNER))
    done.set()
    reader.join()

    assert seen <= set(versions)


def test_closing_twice_is_closing() -> None:
    with ScriptedSshd() as sshd:
        guest = connect(sshd)
        guest.close()
        guest.close()

        with pytest.raises(Transient):
            guest.run("true")


def test_no_command_and_no_word_is_in_an_argv() -> None:
    with ScriptedSshd() as sshd, closing(connect(sshd)) as guest:
        guest.run("echo {word} >/dev/null", word="word", stdin="input")

        assert sshd.commands == ["sh -s"]


def test_the_prefix_is_filled_with_quoted_properties() -> None:
    settings = replace(PATIENT, dtrove_prefix="env NAME=%(name)s ID=%(instance_id)s ")

    with ScriptedSshd() as sshd, closing(connect(sshd, settings, name="it's; exit 9")) as guest:
        assert guest.run('echo "$ID: $NAME"') == "i-1: it's; exit 9\n"


def test_through_every_shell_in_between_words_keep_their_spelling() -> None:
    settings = replace(PATIENT, dtrove_prefix="sh -c 'exec \"$@\"' - sh -c 'exec \"$@\"' - ")

    with ScriptedSshd() as sshd, closing(connect(sshd, settings)) as guest:
        assert guest.run("printf %s {word}", word="""'"$(exit 9)\\ """) == """'"$(exit 9)\\ """


def test_a_refused_sudo_is_told_in_its_own_words() -> None:
    settings = replace(PATIENT, dtrove_prefix="sh -c 'echo sudo: a password is required >&2; exit 1' ")

    with (
        ScriptedSshd() as sshd,
        closing(connect(sshd, settings)) as guest,
        pytest.raises(CommandFailed, match="status 1: sudo: a password is required"),
    ):
        guest.run("true")


@pytest.mark.parametrize("missing", ["address", "user", "host_key"])
def test_a_guest_of_which_something_is_not_known_cannot_be_reached(missing: str) -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent, match=f"'{missing}' is not known"):
        connect(sshd, PATIENT, **{missing: None})


def test_the_prefix_may_ask_for_no_property_that_is_not_known() -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent, match="'local_id' is not known"):
        connect(sshd, replace(PATIENT, dtrove_prefix="vzctl exec %(local_id)s "))


@pytest.mark.parametrize("private_key", ["", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n"])
def test_a_private_key_that_cannot_be_read_is_not_shown(private_key: str) -> None:
    with ScriptedSshd() as sshd, pytest.raises(Permanent) as refused:
        SshGuest.connect(instance_of(sshd), private_key, settings=replace(PATIENT, dtrove_ssh_port=sshd.port))

    assert str(refused.value).endswith("its private key or the passphrase is wrong.")
    assert refused.value.__suppress_context__


def test_a_key_with_a_passphrase_opens_only_with_it() -> None:
    key = draw_key("correct horse")

    with ScriptedSshd() as sshd:
        settings = replace(PATIENT, dtrove_ssh_port=sshd.port)
        with closing(SshGuest.connect(instance_of(sshd), key.private, "correct horse", settings)) as guest:
            assert guest.run("echo in") == "in\n"
        with pytest.raises(Permanent, match="passphrase is wrong"):
            SshGuest.connect(instance_of(sshd), key.private, "wrong horse", settings)
