"""Parameters on real guests: what we offer is what the servers have, and what they are told is what they do."""

import json
import secrets
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import Config
from chalicelib.datastores.applying import NOTE, values_of
from chalicelib.datastores.parameters import Parameter, Value, as_typed, check_values, drift, is_same
from chalicelib.errors import Permanent
from chalicelib.models.instance import Instance
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.providers.nspawn.removal import everything_left, remove_everything
from chalicelib.providers.nspawn.site import Site
from tests.datastores.clients import CLIENTS
from tests.datastores.on_offer import PACKAGES
from tests.datastores.real_cluster import RealCluster

pytestmark = pytest.mark.guests

BORN: dict[str, dict[str, Value]] = {  # the second is static, but for Redis's: it has few
    "mysql": {"max_connections": 77, "ft_min_word_len": 3, "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"},
    "postgresql": {"work_mem": "5MB", "max_connections": 77, "search_path": '"$user", o\'brien\\, é'},
    "redis": {"hz": 33, "tcp-backlog": 300, "save": "900 1 60 1000", "notify-keyspace-events": "KEA"},
}
DYNAMIC: dict[str, dict[str, Value]] = {
    "mysql": {
        "max_connections": 88,
        "innodb_buffer_pool_size": 64 * 2**20,
        "innodb_log_file_size": 48 * 2**20,
        "innodb_io_capacity": 300,
        "long_query_time": 0.25,
        "slow_query_log": True,
        "sql_mode": "STRICT_ALL_TABLES,ANSI_QUOTES",
        "character_set_server": "latin1",
        "collation_server": "latin1_bin",
    },
    "postgresql": {
        "work_mem": "8192",
        "autovacuum": False,
        "random_page_cost": 1.25,
        "vacuum_cost_delay": 0.5,
        "statement_timeout": "1ms",
        "search_path": "nowhere",
        "log_line_prefix": '%m [%p] o\'brien \\ "x" # ',
        "default_transaction_isolation": "repeatable read",
    },
    "redis": {
        "maxmemory": 64 * 2**20,
        "maxmemory-policy": "allkeys-lru",
        "appendfsync": "always",
        "save": "",
        "notify-keyspace-events": "gKE$",
        "list-max-listpack-size": -3,
    },
}
STATIC: dict[str, dict[str, Value]] = {
    "mysql": {"performance_schema": True, "innodb_log_buffer_size": 8 * 2**20},
    "postgresql": {"max_connections": 60, "shared_buffers": "32MB", "track_commit_timestamp": True},
    "redis": {"io-threads": 2, "rdbchecksum": False},
}
REFUSED: dict[str, list[tuple[dict[str, Value], str]]] = {  # as no check of ours lets through, or only servers can know
    "mysql": [
        ({"collation_server": "nonsense"}, "(?i)collation.server|nonsense"),
        ({"max_connections": 5}, "max_connections 10 instead of 5"),
        ({"innodb_flush_method": "nonsense"}, "Error while setting value 'nonsense' to 'innodb-flush-method'"),
    ],
    "postgresql": [
        ({"lc_messages": "xx_XX"}, "lc_messages"),
        ({"shared_buffers": "8kB"}, "shared_buffers"),
        ({"timezone": "Mars/Olympus"}, "(?i)timezone"),
    ],
    "redis": [
        ({"hz": 33, "maxclients": 1000000}, "maxclients"),
        ({"maxmemory-policy": "nonsense"}, "maxmemory-policy"),
        ({"hz": 1000}, "hz"),
    ],
}
TOGETHER = frozenset(  # bounded by each other and by what the system allows: the server tells, and it is taken back
    {
        *("max_connections", "table_open_cache", "thread_cache_size"),
        *("autovacuum_max_workers", "max_worker_processes", "max_stack_depth"),
    }
)
NARROWED = frozenset({"hz", "maxclients", "maxmemory"})  # Redis takes more and makes less of it, or the system says
BY_HAND: dict[str, tuple[str, Value, Value]] = {
    "mysql": ("wait_timeout", 600, 601),
    "postgresql": ("deadlock_timeout", "2s", "3s"),
    "redis": ("maxmemory-samples", 7, 8),
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    images = Path(Config.dtrove_nspawn_root) / "images"
    site = Site(tmp_path_factory.mktemp("nspawn"), images, "dtroveparam0", IPv4Network("10.79.14.0/24"))
    try:
        yield NspawnProvider(site)
    finally:
        remove_everything(site)
    assert everything_left(site) == []


@pytest.fixture(scope="module", params=PACKAGES)
def born(provider: NspawnProvider, request: pytest.FixtureRequest) -> Iterator[RealCluster]:
    """An instance that was born with parameters."""
    cluster = RealCluster(provider, request.param, "debian-12-golden", volume_gib=None)
    try:
        cluster.on_each("server", cluster.add_members(1), cluster.create_server)
        cluster.on_each("prepare", cluster.members, lambda each: prepare(cluster, BORN[cluster.datastore]))
        cluster.start_primary()
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture
def cluster(born: RealCluster) -> RealCluster:
    """The instance without any parameter of its own."""
    if apply(born, {}):
        restart(born)
        assert apply(born, {}) == frozenset()
    return born


def test_an_instance_is_born_with_its_parameters(born: RealCluster) -> None:
    values = BORN[born.datastore]

    assert drift(values, actual(born, list(values)), born.manager.parameters) == []
    assert apply(born, values) == frozenset()


def test_what_is_offered_is_what_the_server_has(cluster: RealCluster) -> None:
    wrong = {"mysql": wrong_in_mysql, "postgresql": wrong_in_postgresql, "redis": wrong_in_redis}[cluster.datastore]

    assert wrong(cluster) == {}


def test_the_server_does_by_itself_what_it_says_that_it_would(cluster: RealCluster) -> None:
    """So a value that is taken back is known to be back; what servers size by themselves is not offered."""
    names = sorted(cluster.manager.parameters)
    with cluster.guest(cluster.primary) as guest:
        planned = cluster.manager.live_parameters().planned(cluster.primary, guest, {}, names)

    assert drift(planned, actual(cluster, names), cluster.manager.parameters) == []


@pytest.mark.parametrize("end", ["least", "most"])
def test_the_server_takes_both_ends_of_what_is_offered(cluster: RealCluster, end: str) -> None:
    offered = cluster.manager.parameters
    ends = {name: each for name, each in offered.items() if each.least is not None and name not in TOGETHER}
    values = {name: end_of(each, end) for name, each in ends.items()}
    values = check_values(offered, values)
    with cluster.guest(cluster.primary) as guest:
        planned = cluster.manager.live_parameters().planned(cluster.primary, guest, values, sorted(values))

    assert drift(values, planned, offered) == []


def test_dynamic_values_are_in_force_at_once_and_taken_back_as_well(cluster: RealCluster) -> None:
    values = check_values(cluster.manager.parameters, DYNAMIC[cluster.datastore])
    before = actual(cluster, list(values))

    assert apply(cluster, values) == frozenset()
    assert drift(values, actual(cluster, list(values)), cluster.manager.parameters) == []
    assert apply(cluster, values) == frozenset()
    assert apply(cluster, {}) == frozenset()
    assert drift(before, actual(cluster, list(values)), cluster.manager.parameters) == []


def test_static_values_wait_for_our_restart_and_for_no_other(cluster: RealCluster) -> None:
    values = check_values(cluster.manager.parameters, STATIC[cluster.datastore])
    before = actual(cluster, list(values))

    assert apply(cluster, values) == set(values)
    assert apply(cluster, values) == set(values)
    with cluster.guest(cluster.primary) as guest:
        guest.run("systemctl restart {service}", service=cluster.manager.service_name)
    assert actual(cluster, list(values)) == before
    restart(cluster)

    assert drift(values, actual(cluster, list(values)), cluster.manager.parameters) == []
    assert apply(cluster, values) == frozenset()
    assert CLIENTS[cluster.datastore](str(cluster.primary.address), cluster.passwords.root).create() is None


def test_what_the_server_refuses_is_taken_back_with_its_words(cluster: RealCluster) -> None:
    name, value, _ = BY_HAND[cluster.datastore]
    values = {name: value} | STATIC[cluster.datastore]
    apply(cluster, values)
    files = all_files(cluster)

    for refused, reason in REFUSED[cluster.datastore]:
        offered = [*values, *refused]
        before = actual(cluster, offered)
        with pytest.raises(Permanent, match=reason):
            apply(cluster, refused)
        assert drift(before, actual(cluster, offered), cluster.manager.parameters) == []
        assert all_files(cluster) == files


def test_a_server_that_does_not_start_with_new_values_runs_with_its_former_ones(cluster: RealCluster) -> None:
    name, value, _ = BY_HAND[cluster.datastore]
    apply(cluster, {name: value} | STATIC[cluster.datastore])
    with cluster.guest(cluster.primary) as guest:
        guest.run("echo 'nonsense = 1' >>{path}", path=f"{cluster.manager.parameters_path}.next")

    with pytest.raises(Permanent, match=r"nonsense.*It runs with its former parameters again"):
        restart(cluster)

    assert is_same(cluster.manager.parameters[name], actual(cluster, [name])[name], value)
    assert values_of(all_files(cluster)[0]) == {name: value}


def test_what_was_changed_by_hand_is_seen_and_mended(cluster: RealCluster) -> None:
    name, value, other = BY_HAND[cluster.datastore]
    parameter = cluster.manager.parameters[name]
    apply(cluster, {name: value})
    by_hand(cluster)

    (seen,) = drift({name: value}, actual(cluster, [name]), cluster.manager.parameters)

    assert seen[:2] == (name, value)
    assert is_same(parameter, seen[2], other)
    if cluster.datastore == "postgresql":
        with pytest.raises(Permanent, match="ALTER SYSTEM may have set it too"):
            apply(cluster, {name: value})
        ask(cluster, "runuser -u postgres -- psql", f"ALTER SYSTEM RESET {name};")
    apply(cluster, {name: value})
    assert is_same(parameter, actual(cluster, [name])[name], value)


def test_a_standby_follows_after_restarts_in_the_order_that_is_told(provider: NspawnProvider) -> None:
    """It does not start with less than its primary has: it then runs with its former values again, and says why."""
    cluster = RealCluster(provider, "postgresql", "debian-12-golden", volume_gib=None)
    try:
        cluster.on_each("server", cluster.add_members(2), cluster.create_server)
        cluster.on_each("prepare", cluster.members, cluster.prepare)
        cluster.start_primary()
        cluster.join(cluster.replicas)
        (replica,) = cluster.replicas
        changes: list[dict[str, Value]] = [{}, {"max_connections": 200}, {"max_connections": 50}]
        for former, values in pairwise(changes):
            for each in cluster.members:
                assert apply(cluster, values, each) == {"max_connections"}
            first = cluster.manager.replicas_first(cluster.primary, former, values)
            assert first is (values == {"max_connections": 200})
            if not first:
                with pytest.raises(Permanent, match=r"insufficient parameter settings.*former parameters again"):
                    restart(cluster, replica)
                assert apply(cluster, values, replica) == {"max_connections"}
            for each in (replica, cluster.primary) if first else (cluster.primary, replica):
                restart(cluster, each)
                cluster.until_done(lambda: cluster.await_replica(replica))
            assert [apply(cluster, values, each) for each in cluster.members] == [frozenset(), frozenset()]
    finally:
        cluster.destroy()


def end_of(parameter: Parameter, end: str) -> Value:
    return str(getattr(parameter, end)) if parameter.unit and parameter.type == "string" else getattr(parameter, end)


def prepare(cluster: RealCluster, values: dict[str, Value]) -> None:
    with cluster.guest(cluster.primary) as guest:
        checked = check_values(cluster.manager.parameters, values)
        cluster.manager.prepare(cluster.primary, guest, cluster.passwords, checked)


def apply(cluster: RealCluster, values: dict[str, Any], instance: Instance | None = None) -> frozenset[str]:
    instance = instance or cluster.primary
    with cluster.guest(instance) as guest:
        return cluster.manager.apply_parameters(instance, guest, values)


def actual(cluster: RealCluster, names: list[str]) -> dict[str, Any]:
    with cluster.guest(cluster.primary) as guest:
        return cluster.manager.actual_parameters(guest, names)


def restart(cluster: RealCluster, instance: Instance | None = None) -> None:
    instance = instance or cluster.primary
    run_id = secrets.token_hex(4)

    def act() -> None:
        with cluster.guest(instance) as guest:
            cluster.manager.restart(instance, guest, run_id)

    cluster.until_done(act)


def all_files(cluster: RealCluster) -> list[str]:
    """Return the files in force, in waiting, and of notes."""
    with cluster.guest(cluster.primary) as guest:
        path = cluster.manager.parameters_path
        return [guest.run("cat {path} 2>/dev/null || true", path=each) for each in (path, f"{path}.next", NOTE)]


def by_hand(cluster: RealCluster) -> None:
    name, _, value = BY_HAND[cluster.datastore]
    match cluster.datastore:
        case "mysql":
            ask(cluster, "mariadb", f"SET GLOBAL {name} = {value};")
        case "postgresql":
            ask(cluster, "runuser -u postgres -- psql", f"ALTER ROLE postgres SET {name} = '9s';")
            ask(cluster, "runuser -u postgres -- psql", f"ALTER SYSTEM SET {name} = '{value}';")
            ask(cluster, "runuser -u postgres -- psql", "SELECT pg_reload_conf(), pg_sleep(0.5);")
        case "redis":
            ask(cluster, "xargs /opt/dtrove/ask-redis", f"CONFIG SET {name} {value}")


def ask(cluster: RealCluster, command: str, stdin: str) -> str:
    with cluster.guest(cluster.primary) as guest:
        return guest.run("cd / && sh -c {words}", stdin=stdin, words=command)


def wrong_in_mysql(cluster: RealCluster) -> dict[str, str]:
    """Compare with information_schema.SYSTEM_VARIABLES; what both MySQLs have is held within that by another test."""
    columns = "VARIABLE_NAME, VARIABLE_TYPE, NUMERIC_MIN_VALUE, NUMERIC_MAX_VALUE, NUMERIC_BLOCK_SIZE"
    columns += ", ENUM_VALUE_LIST, READ_ONLY"
    sql = f"SELECT JSON_ARRAY({columns}) FROM information_schema.SYSTEM_VARIABLES;"  # noqa: S608  columns of ours
    rows = [json.loads(line) for line in ask(cluster, "mariadb --raw --skip-column-names", sql).splitlines()]
    known = {str(row[0]).lower(): row[1:] for row in rows}
    types = {"BOOLEAN": "boolean", "DOUBLE": "float", "ENUM": "string", "SET": "string", "VARCHAR": "string"}
    wrong = {}
    for name, each in cluster.manager.parameters.items():
        kind, least, most, block, listed, read_only = known[name]
        found = Parameter(
            name,
            types.get(kind, "integer"),
            read_only == "YES",
            least=max(each.least, float(least)) if each.least is not None else None,
            most=min(each.most, float(most)) if each.most is not None else None,
            multiple_of=int(block) if str(block).isdigit() and int(block) > 1 else None,
            choices=tuple(one for one in each.choices if one in str(listed).split(",")),
        )
        if differs := different(each, found, kind == "SET"):
            wrong[name] = differs
    return wrong


def wrong_in_postgresql(cluster: RealCluster) -> dict[str, str]:
    columns = "name, vartype, context, min_val, max_val, unit, enumvals"
    sql = f"SELECT json_agg(row_to_json(s)) FROM (SELECT {columns} FROM pg_settings) AS s"  # noqa: S608
    said = ask(cluster, "runuser -u postgres -- psql --no-align --tuples-only", sql)
    known = {row["name"].lower(): row for row in json.loads(said)}
    types = {"bool": "boolean", "real": "float", "enum": "string", "string": "string", "integer": "integer"}
    wrong = {}
    for name, each in cluster.manager.parameters.items():
        row = known[name]
        is_quantity = row["vartype"] == "integer" and row["unit"]
        found = Parameter(
            name,
            "string" if is_quantity else types[row["vartype"]],
            row["context"] == "postmaster",
            least=max(each.least, float(row["min_val"])) if each.least is not None else None,
            most=min(each.most, float(row["max_val"])) if each.most is not None else None,
            unit=row["unit"],
            choices=tuple(one for one in each.choices if one in (row["enumvals"] or [])),
        )
        if differs := different(each, found, False):
            wrong[name] = differs
    return wrong


def different(told: Parameter, found: Parameter, is_set: bool) -> str:
    names = ("type", "restart_required", "least", "most", "multiple_of", "unit", "choices")
    pairs = {each: (getattr(told, each), getattr(found, each)) for each in names}
    return ", ".join(f"{each}: {one} for {other}" for each, (one, other) in pairs.items() if one != other) + (
        "no list" if is_set and told.separator is None else ""
    )


def wrong_in_redis(cluster: RealCluster) -> dict[str, str]:
    """Redis tells neither types nor bounds: a server of its own is told each end, and what is beyond."""
    offered = cluster.manager.parameters
    script = """\
redis-server --port 0 --unixsocket /run/scratch.sock --daemonize yes >/dev/null
until [ -S /run/scratch.sock ]; do sleep 0.05; done
trap 'redis-cli -s /run/scratch.sock shutdown nosave' EXIT
redis-cli -s /run/scratch.sock --json CONFIG GET '*' | tr -d '\\n'; echo
while read -r name value; do
    printf '%s %s ' "$name" "$value" # a choice may hold a space
    redis-cli -s /run/scratch.sock CONFIG SET "$name" "${value#=}" | tr '\\n' ' '; echo
done
"""
    tries: dict[tuple[str, str], bool] = {}
    for name, each in offered.items():
        values = {"boolean": ["yes", "no", "perhaps"], "string": [*each.choices, "no such"]}.get(each.type)
        if each.type == "integer":
            assert each.least is not None
            assert each.most is not None
            values = [str(one) for one in (each.least, each.most, int(each.least) - 1, int(each.most) + 1)]
        good = len(values or ()) - (2 if each.type == "integer" else 1)
        tries |= {(name, value): place < good for place, value in enumerate(values or ())}
    with cluster.guest(cluster.primary) as guest:
        lines = "".join(f"{name} ={value}\n" for name, value in tries)
        defaults, *said = guest.run("bash -c {script}", script=script, stdin=lines).splitlines()
    known = json.loads(defaults)
    wrong = {name: f"default {known[name]}" for name in offered if not is_default(offered[name], known[name])}
    for line in said:
        name, _, rest = line.partition(" =")
        is_good = tries[name, rest.partition(" OK ")[0].partition(" ERR")[0]]
        is_static = "immutable" in rest
        is_as_told = is_static or rest.endswith(" OK ") == is_good or name in NARROWED
        if is_static != offered[name].restart_required or not is_as_told:
            wrong[name] = rest
    return wrong


def is_default(parameter: Parameter, said: str) -> bool:
    return is_same(parameter, as_typed(parameter, said), parameter.default)
