"""Access rules of application credentials: keystonemiddleware's wildcards, without its slowness."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.access_rules import AccessRule, matches

TRUE = [
    ("/v1.0/p1/instances", "/v1.0/p1/instances"),
    ("/v1.0/*/instances", "/v1.0/p1/instances"),
    ("/v1.0/{project_id}/instances/{id}", "/v1.0/p1/instances/i1"),
    ("/v1.0/p1/inst*", "/v1.0/p1/instances"),
    ("/v1.0/**", "/v1.0/p1/instances/i1/databases"),
    ("/v1.0/p1/instances**", "/v1.0/p1/instances"),
    ("**", "/v1.0/p1/instances"),
    ("/v1.0/**/users/*", "/v1.0/p1/instances/i1/users/al%40%25"),
    ("/v1.0/p1/a+b", "/v1.0/p1/a+b"),
]
FALSE = [
    ("/v1.0/p1/instances", "/v1.0/p1/instances/"),
    ("/v1.0/p1/instances", "/v1.0/p1/instances/i1"),
    ("/v1.0/p1/instances", "/v1.0/p1/instances\n"),
    ("/v1.0/p1/instances/*", "/v1.0/p1/instances/"),
    ("/v1.0/p1/instances/*", "/v1.0/p1/instances/i1/root"),
    ("/v1.0/{p}/instances", "/v1.0/p1/p2/instances"),
    ("/v1.0/p1/inst", "/v1.0/p1/instances"),
    ("v1.0/p1", "/v1.0/p1"),
    ("/v1.0/p1", "/v1X0/p1"),  # a dot is a dot
    ("/v1.0/p1/instances", "/v1.0/p1/%69nstances"),
    ("", "/"),
]


@pytest.mark.parametrize(("pattern", "path"), TRUE)
def test_a_path_is_of_the_pattern(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(("pattern", "path"), FALSE)
def test_a_path_is_not_of_the_pattern(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


PIECES = {"**": ".*", "*": "[^/]+", "{a}": "[^/]+", "a": "a", "b": "b", "/": "/", ".": r"\."}


@given(st.lists(st.sampled_from(list(PIECES)), max_size=8), st.text("ab/.", max_size=10))
def test_it_agrees_with_the_regular_expression(pieces: list[str], path: str) -> None:
    pattern = "".join(pieces)
    read = re.findall(r"\*\*|\*|\{a\}|.", pattern)  # `*` beside `**` is read from the left

    expected = re.fullmatch("".join(PIECES[each] for each in read), path) is not None
    assert matches(pattern, path) == expected


def test_a_hostile_pattern_takes_no_long_time() -> None:
    began = time.process_time()

    assert not matches("/" + "**a" * 42, "/" + "a" * 2000 + "b")
    assert time.process_time() - began < 5


def test_a_rule_is_for_one_service_and_method() -> None:
    rules = [
        AccessRule("database", "GET", "**"),
        AccessRule("compute", "GET", "**"),
        AccessRule("database", "get", "**"),
    ]

    assert [each.allows("GET", "/v1.0/p1/flavors") for each in rules] == [True, False, False]
    assert not rules[0].allows("POST", "/v1.0/p1/flavors")
