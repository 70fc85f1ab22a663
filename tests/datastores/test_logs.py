"""Logs: what guests are told of them, word for word, and what they make of it."""

import base64
import inspect
import json
import os
import subprocess
from pathlib import Path
from typing import LiteralString

import pytest

from chalicelib.datastores import logs
from chalicelib.datastores.base import BaseManager
from chalicelib.datastores.logs import BOTH, Log, LogFile, files_of, last_lines, log_named, read_piece
from chalicelib.datastores.mysql.manager import MySQLManager
from chalicelib.datastores.postgresql.manager import PostgresManager
from chalicelib.datastores.postgresql.parameters import ASK
from chalicelib.errors import NotFound, Permanent
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import render
from chalicelib.ssh.script import whole
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest

ODD = b"plain\nnul \0 and \xff\xfe no UTF-8\n'; rm -rf / #\n\xe2\x98\x83 $(reboot)\nlast"


class Shell(FakeGuest):
    """This machine's own shell, told as a guest's is; its `runuser` runs what it is given as whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        shim = folder / "bin" / "runuser"
        shim.parent.mkdir()
        shim.write_text('#!/bin/sh\nshift 2\n[ "$1" != -- ] || shift\nexec "$@"\n')
        shim.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}"}

    def run(self, command: LiteralString, *, stdin: str = "", **words: str | int) -> str:
        script = whole(render(command, words), stdin)
        done = subprocess.run(
            ["sh", "-s"], input=script, text=True, capture_output=True, check=True, env=self.environment
        )
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    folder = tmp_path / "a folder's"
    folder.mkdir()
    return Log("general", str(folder / "general.log"))


def only(guest: Shell, log: Log) -> LogFile:
    (file,) = files_of(guest, [log])[log.name]
    return file


# --- as a shell does it
def test_a_log_has_its_file_and_the_one_before(shell: Shell, log: Log) -> None:
    assert files_of(shell, [log]) == {"general": []}
    Path(log.path).write_bytes(ODD)
    first = only(shell, log)
    Path(log.path).rename(f"{log.path}.1")
    Path(log.path).write_bytes(b"new")

    before, now = files_of(shell, [log])["general"]

    assert (before.generation, before.size, before.path) == (first.generation, len(ODD), f"{log.path}.1")
    assert (now.size, now.path, now.generation > before.generation or now.born == before.born) == (3, log.path, True)


def test_two_logs_of_one_file_have_the_same(shell: Shell, log: Log) -> None:
    Path(log.path).write_bytes(ODD)

    found = files_of(shell, [log, Log("error", log.path)])

    assert found["general"] == found["error"] == [only(shell, log)]


@pytest.mark.parametrize(("offset", "most"), [(0, 1_000), (7, 5), (len(ODD) - 1, 9), (len(ODD), 9), (0, len(ODD))])
def test_a_piece_is_the_bytes_that_are_there(shell: Shell, log: Log, offset: int, most: int) -> None:
    Path(log.path).write_bytes(ODD)

    assert read_piece(shell, "root", only(shell, log), offset, most) == ODD[offset:][:most]


def test_a_piece_larger_than_one_answer_is_put_together(
    shell: Shell, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(log.path).write_bytes(ODD)
    monkeypatch.setattr(logs, "bytes_at_once", lambda: 6)

    assert read_piece(shell, "root", only(shell, log), 1, 20) == ODD[1:21]
    assert read_piece(shell, "root", only(shell, log), 1, 1_000) == ODD[1:]


def test_what_has_been_turned_over_since_is_not_read_for_it(shell: Shell, log: Log) -> None:
    Path(log.path).write_bytes(ODD)
    file = only(shell, log)
    Path(log.path).rename(f"{log.path}.1")

    assert read_piece(shell, "root", file, 0, 9) == b""
    Path(log.path).write_bytes(b"another one, of another inode")
    assert read_piece(shell, "root", file, 0, 9) == b""


def test_the_last_lines_reach_back_into_the_file_before(shell: Shell, log: Log) -> None:
    assert last_lines(shell, "root", log, 5) == []
    Path(f"{log.path}.1").write_bytes(b"one\ntwo\n")
    Path(log.path).write_bytes(ODD)

    assert last_lines(shell, "root", log, 2) == ["\N{SNOWMAN} $(reboot)", "last"]
    assert last_lines(shell, "root", log, 6)[:3] == ["two", "plain", "nul \0 and \ufffd\ufffd no UTF-8"]
    assert len(last_lines(shell, "root", log, 100)) == 7


def test_the_last_lines_are_no_more_than_one_answer_holds(
    shell: Shell, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(log.path).write_bytes(b"x" * 100 + b"\nend\n")
    monkeypatch.setattr(logs, "bytes_at_once", lambda: 9)

    assert last_lines(shell, "root", log, 2) == ["xxxx", "end"]


class Here(MySQLManager):
    """Its log is in a folder of this machine."""

    folder = Path(inspect.getfile(MySQLManager)).parent  # of its templates

    def __init__(self, path: str) -> None:
        super().__init__(version_of("mysql"))
        self.path = path

    @property
    def logs(self) -> tuple[Log, ...]:
        return (Log("server", self.path),)


def turned(shell: Shell, log: Log, most: int, folder: Path) -> None:
    """Run the script that turns over, as the timer does; the server is told by a `mysql` that is not there."""
    text = Here(log.path).render("turn-logs.sh", most_bytes=most)
    told = folder / "bin" / "mariadb"
    told.write_text(f'#!/bin/sh\necho "$@" >>{folder}/told\n')
    told.chmod(0o755)
    subprocess.run(["bash", "-c", text], check=True, env=shell.environment)


def test_a_log_is_turned_over_once_it_has_grown_and_the_server_is_told(shell: Shell, log: Log, tmp_path: Path) -> None:
    path = Path(log.path)
    path.write_bytes(b"x" * 9)

    turned(shell, log, 10, tmp_path)
    assert (path.read_bytes(), (tmp_path / "told").exists()) == (b"x" * 9, False)
    path.write_bytes(b"y" * 10)
    turned(shell, log, 10, tmp_path)
    assert (path.exists(), Path(f"{path}.1").read_bytes()) == (False, b"y" * 10)
    assert "FLUSH LOCAL ERROR LOGS" in (tmp_path / "told").read_text()
    turned(shell, log, 10, tmp_path)
    assert len((tmp_path / "told").read_text().splitlines()) == 2  # until there is a new one
    path.write_bytes(b"z" * 11)
    turned(shell, log, 10, tmp_path)
    assert Path(f"{path}.1").read_bytes() == b"z" * 11


def test_a_log_is_not_turned_into_a_folder_that_somebody_linked_there(shell: Shell, log: Log, tmp_path: Path) -> None:
    (elsewhere := tmp_path / "cron.d").mkdir()
    Path(f"{log.path}.1").symlink_to(elsewhere)
    Path(log.path).write_bytes(b"x" * 10)

    turned(shell, log, 10, tmp_path)

    assert list(elsewhere.iterdir()) == []
    assert Path(f"{log.path}.1").read_bytes() == b"x" * 10


def test_a_log_whose_server_does_not_hear_does_not_fill_the_disk(shell: Shell, log: Log, tmp_path: Path) -> None:
    Path(f"{log.path}.1").write_bytes(b"x" * 30)

    turned(shell, log, 10, tmp_path)

    assert Path(f"{log.path}.1").read_bytes() == b""


# --- switching
def switching(manager: BaseManager, ours: str = "", theirs: str = "") -> tuple[FakeGuest, str]:
    reading = render(BOTH, {"ours": manager.logs_path, "theirs": manager.parameters_path})
    return FakeGuest(
        {reading: "".join(f"{base64.b64encode(each.encode()).decode()}\n" for each in (ours, theirs))}
    ), reading


def text_of(manager: BaseManager, instance: Instance, **values: object) -> str:
    return manager.live_parameters().text(instance, values)  # type: ignore[arg-type]


MYSQL = (
    "/opt/dtrove/service await </dev/null && mariadb --default-character-set=utf8mb4 --batch --raw --skip-column-names"
)


def test_mysql_is_told_live_and_for_good(primary: Instance) -> None:
    manager = MySQLManager(version_of("mysql"))
    guest, reading = switching(manager, text_of(manager, primary, slow_query_log=True))
    asked = "SELECT JSON_OBJECT('general_log', CAST(@@GLOBAL.general_log AS CHAR));\n"
    guest.replies |= {MYSQL: "", f"{MYSQL} <<< {asked}": '{"general_log": "1"}'}

    manager.switch_log(primary, guest, log_named(manager.logs, "general"), on=True)

    assert guest.files == {
        "/etc/mysql/mariadb.conf.d/zzy-dtrove-logs.cnf": (
            '# Parameters, laid by DTrove: {"general_log": true, "slow_query_log": true}\n'
            "[mysqld]\ngeneral_log = ON\nslow_query_log = ON\n"
        )
    }
    set_live = f"{MYSQL} <<< SET SESSION sql_mode = '';\nSET GLOBAL general_log = ON;\n"
    assert guest.script == [reading, set_live, f"{MYSQL} <<< {asked}"]
    assert manager.distribution.config_path < manager.logs_path < manager.parameters_path


def test_mysql_forgets_what_is_switched_off(primary: Instance) -> None:
    manager = MySQLManager(version_of("mysql"))
    guest, _ = switching(manager, text_of(manager, primary, slow_query_log=True))
    asked = "SELECT JSON_OBJECT('slow_query_log', CAST(@@GLOBAL.slow_query_log AS CHAR));\n"
    guest.replies |= {MYSQL: "", f"{MYSQL} <<< {asked}": '{"slow_query_log": "0"}'}

    manager.switch_log(primary, guest, log_named(manager.logs, "slow_query"), on=False)

    assert guest.files[manager.logs_path] == "# Parameters, laid by DTrove: {}\n[mysqld]\n"


def test_postgresql_is_told_by_a_file_that_it_reads_again(primary: Instance) -> None:
    manager = PostgresManager(version_of("postgresql"))
    guest, _ = switching(manager)
    guest.replies |= {"/opt/dtrove/reload-parameters": "", ASK: '{"log_statement": "all"}'}

    manager.switch_log(primary, guest, log_named(manager.logs, "general"), on=True)

    assert guest.files["/etc/postgresql/15/main/logs.conf"].endswith("log_statement = 'all'\n")
    configuration = manager.render_config_file(primary)
    assert configuration.index("main/logs.conf'") < configuration.index("main/parameters.conf'")


def test_what_a_configuration_group_says_is_not_overruled(primary: Instance) -> None:
    manager = MySQLManager(version_of("mysql"))
    guest, reading = switching(manager, theirs=text_of(manager, primary, general_log=False))

    with pytest.raises(Permanent, match=r"general_log is set by the instance's configuration group"):
        manager.switch_log(primary, guest, log_named(manager.logs, "general"), on=True)

    assert (guest.script, guest.files) == ([reading], {})


def test_what_the_server_heeds_more_is_told(primary: Instance) -> None:
    manager = PostgresManager(version_of("postgresql"))
    guest, _ = switching(manager)
    guest.replies |= {"/opt/dtrove/reload-parameters": "", ASK: '{"log_statement": "ddl"}'}

    with pytest.raises(Permanent, match=r"log_statement is ddl after it was set to all \(ALTER SYSTEM may"):
        manager.switch_log(primary, guest, log_named(manager.logs, "general"), on=True)


def test_a_log_counts_as_on_unless_the_server_says_that_it_is_off() -> None:
    manager = PostgresManager(version_of("postgresql"))

    for said, on in (("none", False), ("ddl", True), ("all", True)):
        assert manager.switched_on(FakeGuest({ASK: json.dumps({"log_statement": said})})) == {
            "general": on,
            "error": True,
        }


def test_a_log_that_is_always_on_has_no_switch(primary: Instance) -> None:
    manager = MySQLManager(version_of("mysql"))

    with pytest.raises(Permanent, match="error is always on"):
        manager.switch_log(primary, FakeGuest(), log_named(manager.logs, "error"), on=False)


def test_an_unknown_log_is_told_which_there_are() -> None:
    with pytest.raises(
        NotFound, match=r"^Log guest cannot be found on the instance; there are: general, slow_query, error\.$"
    ):
        log_named(MySQLManager(version_of("mysql")).logs, "guest")
    with pytest.raises(NotFound, match="there are: none"):
        log_named((), "guest")


# --- nothing of ours is in one
def test_what_is_told_with_a_hash_is_logged_nowhere() -> None:
    manager = MySQLManager(version_of("mysql"))
    unlogged = "SET SESSION sql_log_off = ON, long_query_time = 31536000;\n"
    values = {"passwords": None, "root_hash": "*A", "replication_hash": "*B"}
    primary = Instance(address="10.0.0.5")

    for template in ("mariadb/accounts.sql", "mariadb/follow.sql", "oracle/follow.sql"):
        lines = manager.render(template, primary=primary, password="p", **values).splitlines(keepends=True)
        assert next(each for each in lines if not each.startswith("--")) == unlogged, template
