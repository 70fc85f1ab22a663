"""How each datastore is told its parameters: files and commands, word for word."""

import json

import pytest

from chalicelib.datastores import manager_of
from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.datastores.parameters import Value
from chalicelib.datastores.postgresql.parameters import ACTUAL, ASK
from chalicelib.errors import CommandFailed, Permanent
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState
from tests.datastores.on_offer import version_of
from tests.fake_guest import FakeGuest

SQL = (
    "/opt/dtrove/service await </dev/null && mariadb --default-character-set=utf8mb4 --batch --raw --skip-column-names"
)
REDIS = "/opt/dtrove/service await </dev/null && xargs --delimiter='\\n' /opt/dtrove/ask-redis"


def manager(name: str) -> BaseManager:
    return manager_of(version_of(name))


def test_mysqls_file_is_read_after_our_own(primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})
    values: dict[str, Value] = {
        "max_connections": 50,
        "slow_query_log": True,
        "sql_mode": "ANSI,TRADITIONAL",
        "long_query_time": 0.5,
    }

    manager("mysql").prepare(primary, guest, passwords, values)

    ours, theirs = sorted(path for path in guest.files if path.endswith(".cnf"))
    assert (ours.rpartition("/")[2], theirs.rpartition("/")[2]) == ("99-dtrove.cnf", "zzz-dtrove-parameters.cnf")
    assert guest.files[theirs] == (
        '# Parameters, laid by DTrove: {"long_query_time": 0.5, "max_connections": 50, "slow_query_log": true,'
        ' "sql_mode": "ANSI,TRADITIONAL"}\n'
        "[mysqld]\n"
        "long_query_time = 0.5\n"
        "max_connections = 50\n"
        "slow_query_log = ON\n"
        'sql_mode = "ANSI,TRADITIONAL"\n'
    )


def test_mysql_is_asked_what_it_would_make_of_the_file(primary: Instance) -> None:
    said = "innodb-log-file-size     671088640\nslow-query-log           TRUE\nsql-mode                 \n"
    names = ["innodb_log_file_size", "slow_query_log", "sql_mode"]
    guest = FakeGuest({"/opt/dtrove/plan-parameters 'innodb-log-file-size|slow-query-log|sql-mode'": said})

    planned = manager("mysql").live_parameters().planned(primary, guest, {"slow_query_log": True}, names)

    assert planned == {"innodb_log_file_size": 671088640, "slow_query_log": True, "sql_mode": ""}
    assert guest.script[0].endswith("[mysqld]\nslow_query_log = ON\n")
    assert "mount --bind" in guest.files["/opt/dtrove/plan-parameters"]
    assert (
        "/etc/mysql/mariadb.conf.d/zzz-dtrove-parameters.cnf mariadbd >" in guest.files["/opt/dtrove/plan-parameters"]
    )


def test_a_variable_that_mysql_does_not_tell_of_is_refused(primary: Instance) -> None:
    guest = FakeGuest({"/opt/dtrove/plan-parameters autocommit": ""})

    with pytest.raises(Permanent, match="does not say what it would make of autocommit"):
        manager("mysql").live_parameters().planned(primary, guest, {}, ["autocommit"])


def test_mysql_is_set_a_line_at_a_time_and_its_refusal_names_the_parameter() -> None:
    sql = "SET SESSION sql_mode = '';\nSET GLOBAL autocommit = OFF;\nSET GLOBAL max_connections = 50;\n"
    sql += "SET GLOBAL sql_mode = 'ANSI';\n"
    error = CommandFailed("ERROR 1231 (42000) at line 3: no", 1)
    guest = FakeGuest({f"{SQL} <<< {sql}": error})

    with pytest.raises(Permanent, match=r"^max_connections: ERROR 1231"):
        manager("mysql").live_parameters().set_live(
            guest, {"sql_mode": "ANSI", "max_connections": 50, "autocommit": False}
        )


def test_mysql_answers_in_json() -> None:
    pairs = ", ".join(f"'{name}', CAST(@@GLOBAL.{name} AS CHAR)" for name in ("autocommit", "log_output"))
    sql = f"SELECT JSON_OBJECT({pairs});\n"
    guest = FakeGuest({f"{SQL} <<< {sql}": '{"autocommit": "1", "log_output": "FILE"}\n'})

    actual = manager("mysql").actual_parameters(guest, ["autocommit", "log_output", "server_id"])

    assert actual == {"autocommit": True, "log_output": "FILE"}


def test_postgresqls_file_is_included_last(primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})
    values: dict[str, Value] = {
        "search_path": '"$user", o\'brien\\',
        "shared_buffers": "64MB",
        "jit": False,
        "random_page_cost": 1.1,
    }

    manager("postgresql").prepare(primary, guest, passwords, values)

    config = guest.files["/etc/postgresql/15/main/postgresql.conf"]
    assert config.endswith("include_if_exists = '/etc/postgresql/15/main/parameters.conf'\n")
    assert guest.files["/etc/postgresql/15/main/parameters.conf"].split("\n", 1)[1] == (
        "jit = 'off'\nrandom_page_cost = 1.1\nsearch_path = '\"$user\", o''brien\\\\'\nshared_buffers = '64MB'\n"
    )


def test_postgresql_is_asked_what_it_would_make_of_the_file(primary: Instance) -> None:
    names = ["jit", "shared_buffers", "vacuum_cost_delay", "work_mem"]
    guest = FakeGuest(
        {"/opt/dtrove/plan-parameters 'jit shared_buffers vacuum_cost_delay work_mem'": "on\n1GB\n500us\n4MB\n"}
    )

    planned = manager("postgresql").live_parameters().planned(primary, guest, {"work_mem": "4096"}, names)

    assert planned == {"jit": True, "shared_buffers": "1GB", "vacuum_cost_delay": 0.5, "work_mem": "4MB"}
    assert guest.script[0].endswith("\nwork_mem = '4096'\n")
    assert "/etc/postgresql/15/main/parameters.conf" in guest.files["/opt/dtrove/plan-parameters"]


def test_postgresql_reads_its_files_again_even_if_nothing_seems_changed() -> None:
    guest = FakeGuest({"/opt/dtrove/reload-parameters": ""})

    manager("postgresql").live_parameters().set_live(guest, {})

    assert guest.script == ["/opt/dtrove/reload-parameters"]
    assert "pg_reload_conf()" in guest.files["/opt/dtrove/reload-parameters"]


def test_postgresql_answers_in_json() -> None:
    said = json.dumps({"work_mem": "4MB", "jit": "on", "geqo_threshold": "12", "seq_page_cost": "1"})
    names = ["work_mem", "jit", "geqo_threshold", "seq_page_cost"]
    listed = ", ".join(f"'{name}'" for name in names)
    guest = FakeGuest({f"{ASK} <<< {ACTUAL.format(names=listed)}": said})

    actual = manager("postgresql").actual_parameters(guest, names)

    assert actual == {"work_mem": "4MB", "jit": True, "geqo_threshold": 12, "seq_page_cost": 1.0}


@pytest.mark.parametrize(
    ("former", "values", "replicas_first"),
    [
        ({}, {"max_connections": 1000}, True),
        ({}, {"max_connections": 50}, False),  # of the 512 that the flavor gives
        ({}, {"max_worker_processes": 8}, False),
        ({"max_prepared_transactions": 10}, {}, False),
        ({}, {"max_locks_per_transaction": 128, "work_mem": "4MB"}, True),
        ({}, {}, False),
    ],
)
def test_postgresql_has_what_standbys_must_have_as_much_of_rise_there_first(
    primary: Instance, former: dict[str, int], values: dict[str, int], replicas_first: bool
) -> None:
    assert manager("postgresql").replicas_first(primary, former, values) is replicas_first


def test_postgresql_cannot_have_one_rise_as_another_falls(primary: Instance) -> None:
    with pytest.raises(Permanent, match=r"^max_connections cannot rise while max_worker_processes falls"):
        manager("postgresql").replicas_first(primary, {}, {"max_connections": 1000, "max_worker_processes": 4})


def test_rediss_file_says_all_and_is_included(primary: Instance, passwords: Passwords) -> None:
    guest = FakeGuest(endings={"dtrove-prepare": UnitState.SUCCEEDED})
    redis = manager("redis")

    redis.prepare(primary, guest, passwords, {"save": "900 1 60 1000", "hz": 50, "dynamic-hz": False})

    assert "include /etc/dtrove/parameters.conf\n" in guest.files["/opt/dtrove/redis.conf"]
    lines = guest.files["/etc/dtrove/parameters.conf"].splitlines()
    assert {line.split()[0] for line in lines[1:]} == set(redis.parameters)
    assert {'hz "50"', 'dynamic-hz "no"', 'save ""', 'save "900 1 60 1000"'} <= set(lines)
    assert {'tcp-keepalive "60"', f'maxmemory "{2457 * 2**20}"', 'maxmemory-samples "5"'} <= set(lines)


def test_redis_takes_all_or_none() -> None:
    command = f"{REDIS} CONFIG SET <<< hz\n50\nmaxmemory-policy\nallkeys-lru\nsave\n\n"
    guest = FakeGuest({command: ""})

    manager("redis").live_parameters().set_live(guest, {"maxmemory-policy": "allkeys-lru", "hz": 50, "save": ""})

    assert guest.script == [command]


def test_redis_answers_in_json() -> None:
    guest = FakeGuest(
        {f"{REDIS} --json CONFIG GET <<< hz\ndynamic-hz\nsave\n": '{"save":"","hz":"10","dynamic-hz":"no"}'}
    )

    actual = manager("redis").actual_parameters(guest, ["hz", "dynamic-hz", "save"])

    assert actual == {"hz": 10, "dynamic-hz": False, "save": ""}


@pytest.mark.parametrize("name", ["mysql", "redis"])
def test_a_server_that_has_all_already_is_not_told(name: str) -> None:
    guest = FakeGuest()

    manager(name).live_parameters().set_live(guest, {})

    assert guest.script == []


def test_a_datastore_without_parameters_has_none_to_tell(primary: Instance) -> None:
    class Plain(type(manager("redis"))):  # type: ignore[misc]
        live_parameters = BaseManager.live_parameters

    plain = Plain(Datastore(datastore="plain", version="1", manager="nowhere.at.All", packages=[]))

    assert plain.actual_parameters(FakeGuest(), ["hz"]) == {}
    assert list(plain.parameter_files(primary, {})) == []
    with pytest.raises(Permanent, match="plain-1 has no parameters"):
        plain.apply_parameters(primary, FakeGuest(), {"hz": 1})
