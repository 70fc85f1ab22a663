"""What may be set, and values checked: by rule, and over whatever hypothesis thinks of."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import DEFAULT_MANAGERS
from chalicelib.datastores.mysql.parameters import literal as sql_literal
from chalicelib.datastores.mysql.parameters import option
from chalicelib.datastores.parameters import Parameter, Value, check_values, drift, is_same, parameters_for
from chalicelib.datastores.postgresql.parameters import literal as conf_literal
from chalicelib.datastores.quantities import quantity
from chalicelib.datastores.redis.parameters import quoted
from chalicelib.errors import Unprocessable
from tests.datastores.on_offer import PACKAGES

ALL = {
    f"{name} {version}": parameters_for(name, version)
    for _, name in DEFAULT_MANAGERS
    for version in (PACKAGES[name][0], "any other")
}
RULES = {
    each.name: each
    for each in (
        Parameter("count", "integer", False, least=1, most=100),
        Parameter("blocks", "integer", False, least=0, most=2**64 - 1, multiple_of=4096),
        Parameter("share", "float", False, least=0.0, most=1.0),
        Parameter("delay", "float", False, least=-1.0, most=100.0, unit="ms"),
        Parameter("flag", "boolean", True),
        Parameter("level", "string", False, choices=("off", "on", "read committed")),
        Parameter("modes", "string", False, choices=("A", "B", "C"), separator=","),
        Parameter("letters", "string", False, pattern="[KEAx]*", separator=""),
        Parameter("buffers", "string", True, least=16, most=1073741823, unit="8kB", of_memory=True),
        Parameter("patience", "string", False, least=-1, most=2147483647, unit="ms"),
        Parameter("path", "string", False, pattern="[ -~]{0,1000}"),
    )
}


@pytest.mark.parametrize(
    ("name", "value", "checked"),
    [
        ("count", 5, 5),
        ("count", "5", 5),
        ("share", "0.5", 0.5),
        ("share", 1, 1.0),
        ("flag", True, True),
        ("flag", 0, False),
        ("flag", "ON", True),
        ("level", "READ committed", "READ committed"),
        ("modes", "C,A", "C,A"),
        ("modes", "", ""),
        ("letters", "KEA", "KEA"),
        ("buffers", "16MB", "16MB"),
        ("buffers", 4096, "4096"),
        ("patience", "-1", "-1"),
        ("patience", "1.5s", "1.5s"),
        ("path", '"$user", o\'brien # \\ x', '"$user", o\'brien # \\ x'),
    ],
)
def test_what_can_mean_but_one_thing_is_taken_for_it(name: str, value: Value, checked: Value) -> None:
    (found,) = check_values(RULES, {name: value}).values()

    assert (found, type(found)) == (checked, type(checked))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("count", True, "must be an integer"),
        ("count", 5.0, "must be an integer"),
        ("count", "5 ", "must be an integer"),
        ("count", "٥", "must be an integer"),
        ("count", None, "must be an integer"),
        ("count", 0, "must be at least 1"),
        ("count", 101, "must be at most 100"),
        ("blocks", 4097, "must be a multiple of 4096"),
        ("share", True, "must be a number"),
        ("share", "nan", "must be a number"),
        ("share", float("inf"), "must be a number"),
        ("share", [1], "must be a number"),
        ("share", 10**400, "must be a number"),
        ("share", 1.1, "must be at most 1.0"),
        ("flag", 2, "must be true or false"),
        ("flag", 1.0, "must be true or false"),
        ("flag", "perhaps", "must be true or false"),
        ("level", "none", "must be one of off, on, read committed"),
        ("level", True, "must be a string"),
        ("modes", "A,D", "must be of A, B, C"),
        ("buffers", "1001kB", "must be a multiple of 8kB"),
        ("buffers", "64kB", "must be at least 128kB"),
        ("buffers", "1 PB", "must be a number of 8kB"),
        ("buffers", "1min", "must be a number of 8kB"),
        ("path", "a\nb", "holds a character that cannot be printed"),
        ("path", "a\0b", "holds a character that cannot be printed"),
        ("path", "\N{LINE SEPARATOR}", "holds a character that cannot be printed"),
        ("path", "é", "must match"),
        ("path", {}, "must be a string"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: object, reason: str) -> None:
    with pytest.raises(Unprocessable, match=re.escape(f"configuration parameter {name} {reason}")):
        check_values(RULES, {name: value})


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(Unprocessable, match=r"^The configuration parameter server_id is not supp"):
        check_values(parameters_for("mysql", "10.11"), {"server_id": 1})


@given(st.sampled_from(sorted(RULES)), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_every_value_is_refused_or_one_that_is_taken_again_as_it_is(name: str, value: object) -> None:
    try:
        checked = check_values(RULES, {name: value})
    except Unprocessable:
        return

    assert check_values(RULES, checked) == checked
    assert type(checked[name]).__name__ in {"integer": "int", "boolean": "bool", "string": "str"}.get(
        RULES[name].type, "float"
    )


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_a_text_in_quotes_is_read_as_itself_wherever_it_lands(text: str) -> None:
    assert read_quoted(sql_literal(text), doubles=True) == text
    assert read_quoted(option(text), doubles=False) == text
    assert read_quoted(conf_literal(text), doubles=True) == text
    assert read_quoted(quoted(text), doubles=False) == text


def read_quoted(literal: str, *, doubles: bool) -> str:
    """Read a quoted text as the servers' own readers do: to the quote that ends it, its last character."""
    quote, position, text = literal[0], 1, ""
    while position < len(literal) - 1:
        pair = literal[position : position + 2]
        if pair[0] == "\\" or (doubles and pair == quote * 2):
            text += pair[1]
            position += 2
        else:
            assert pair[0] != quote, "it ends before its end"
            text += pair[0]
            position += 1
    assert literal[position:] == quote
    return text


@given(st.integers(-(10**9), 10**9), st.sampled_from(["B", "kB", "8kB", "MB", "us", "ms", "s", "min"]))
def test_a_bare_number_counts_the_units(number: int, unit: str) -> None:
    assert quantity(str(number), unit) == number


@pytest.mark.parametrize(
    ("text", "unit", "number"), [("1MB", "8kB", 128), ("1h", "s", 3600), ("500us", "ms", 0.5), ("2 GB", "kB", 2097152)]
)
def test_units_count_as_postgresql_counts_them(text: str, unit: str, number: float) -> None:
    assert quantity(text, unit) == number


def test_drift_is_what_means_something_else() -> None:
    wanted = {"buffers": "1024kB", "modes": "A,B", "share": 0.1, "count": 5, "level": "ON", "flag": True, "path": "a"}
    actual = {"buffers": "1MB", "modes": "B,A", "share": 0.1 + 1e-12, "count": 6, "level": "on", "flag": False}

    assert drift(wanted, actual, RULES) == [("count", 5, 6), ("flag", True, False)]


@pytest.mark.parametrize("offered", ALL.values(), ids=ALL)
def test_what_is_offered_is_told_whole(offered: dict[str, Parameter]) -> None:
    assert len(offered) >= 60
    for each in offered.values():
        assert each.type in {"integer", "string", "boolean", "float"}
        if each.type in {"integer", "float"} or each.unit:
            assert each.least is not None
            assert each.most is not None
            assert each.least < each.most
        else:
            assert (each.least, each.most) == (None, None)
        if each.type == "string":  # no text is free: none can end a line, or be what no server was asked about
            assert each.choices or each.pattern or each.unit
        if each.multiple_of:
            assert each.least is not None
            assert each.least % each.multiple_of == 0


@pytest.mark.parametrize("name", [name for _, name in DEFAULT_MANAGERS])
def test_nothing_is_offered_that_dtrove_depends_on(name: str) -> None:
    words = r"read.only|server.id|log.bin$|gtid|relay|port$|socket|dir$|file$|hba|ssl|tls|auth|password|listen|bind|acl"
    words += (
        r"|replicaof|master|slave.(?!parallel)|wal.level|max.wal.senders|replication.slots|primary|archive|appendonly"
    )
    offered = parameters_for(name, PACKAGES[name][0])

    assert {each for each in offered if re.search(words, each)} <= {
        "authentication_timeout",
        "acllog-max-len",
        "local_infile",
    }


def test_a_version_has_its_own_or_its_datastores() -> None:
    assert "userstat" in parameters_for("mysql", "10.11")
    assert "userstat" not in parameters_for("mysql", "8.0")
    assert parameters_for("mysql", "../mysql") == parameters_for("mysql", "8.0")


def test_a_manager_may_be_a_dotted_path_or_be_unknown() -> None:
    assert parameters_for("chalicelib.datastores.redis.RedisManager", "7.0") == parameters_for("redis", "7.0")
    assert parameters_for("oracle", "19") == parameters_for("no.such.Manager", "1") == {}


def test_what_both_mysqls_have_is_within_what_mariadb_has() -> None:
    mariadb, common = parameters_for("mysql", "10.11"), parameters_for("mysql", "8.0")

    for name, each in common.items():
        own = mariadb[name]
        assert (each.type, each.restart_required) == (own.type, own.restart_required)
        assert set(each.choices) <= set(own.choices)
        if each.least is not None:
            assert (own.least or 0) <= each.least < (each.most or 0) <= (own.most or 0)


def test_looking_them_up_imports_no_manager_and_no_templates() -> None:
    script = """
import json, sys
from chalicelib.datastores.parameters import parameters_for
found = len(parameters_for("mysql", "10.11"))
print(json.dumps([found, sorted({"jinja2", "chalicelib.datastores.mysql", "paramiko"} & set(sys.modules))]))
"""
    root = Path(__file__).parent.parent.parent
    said = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)

    found, imported = json.loads(said.stdout)
    assert found > 100
    assert imported == []


@given(st.text())
def test_a_text_is_the_same_as_itself(text: str) -> None:
    assert is_same(RULES["path"], text, text)
