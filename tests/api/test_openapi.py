"""The OpenAPI document: all that is offered and nothing else, served to anybody; and what is checked by it can fail."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client
from openapi_spec_validator import validate

from app import app
from chalicelib.api.later import NOT_OFFERED
from chalicelib.api.openapi.refusals import MEANINGS, NAMES
from chalicelib.api.policy import POLICY
from chalicelib.api.routes import ROOT
from chalicelib.models.datastore import version_id_of
from tests import promises
from tests.api.client import ApiCaller
from tests.api.test_policy import filled
from tests.promises import NotPromised, promised

OPEN = {"GET /", "GET /v1.0", "GET /v1.0/{project_id}", "GET /v1.0/openapi.json", "GET /healthcheck"}
HEADERS = {"X-Openstack-Request-Id": "req-1"}
FLAVORS = "/v1.0/p1/flavors"


def served(headers: dict[str, str] | None = None) -> Any:
    with Client(app) as client:
        answer = client.http.get("/v1.0/openapi.json", headers={"Host": "db.example", **(headers or {})})
    assert answer.status_code == 200
    return json.loads(answer.body)


def operations() -> Iterator[tuple[str, Any]]:
    for path, methods in promised()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_openapi_3_1() -> None:
    document = served()

    validate(document)

    assert document["openapi"] == "3.1.0"


def test_every_offered_route_is_in_it_and_nothing_else() -> None:
    offered = {f"{method} {ROOT}{path}" for method, path in map(str.split, POLICY.keys() - NOT_OFFERED)}

    assert {route for route, _ in operations()} == offered | OPEN


@pytest.mark.parametrize("route", sorted(NOT_OFFERED))
def test_what_is_not_in_it_answers_nothing_but_501(route: str, instance_id: str) -> None:
    there = {"instance_id": instance_id, "version": version_id_of("ledger", "1")}

    assert ApiCaller("admin").send(*filled(route, **there), {}).status == 501


def test_each_operation_says_who_may_ask_for_it() -> None:
    roles = {route: operation.get("x-dtrove-role") for route, operation in operations()}
    secured = {route for route, operation in operations() if "security" not in operation}

    assert secured == roles.keys() - OPEN
    for route in POLICY.keys() - NOT_OFFERED:
        assert roles[route.replace(" ", f" {ROOT}")] == POLICY[route]


def test_each_operation_has_a_name_of_its_own_and_the_view_s_own_words() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    (created,) = (each for _, each in operations() if each["operationId"] == "create_instance")

    assert len(set(names)) == len(names)
    assert created["summary"].startswith("Create one of its own, or replicas of another")


def test_every_envelope_is_one_that_the_service_has() -> None:
    assert set(NAMES) - {500} == set(MEANINGS)


def test_it_names_the_url_at_which_it_is_served() -> None:
    behind_a_stage = served({"X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/api"})

    assert served()["servers"] == [{"url": "https://db.example"}]
    assert behind_a_stage["servers"] == [{"url": "http://db.example/api"}]


def test_every_post_takes_an_idempotency_key() -> None:
    takes = {route for route, each in operations() if "Idempotency-Key" in str(each["parameters"])}

    assert takes == {route for route, _ in operations() if route.startswith("POST ")}


# --- what the tests' answers are checked by
def flavor() -> Any:
    ids = {
        "id": 1,
        "str_id": "1",
        "name": "tiny",
        "links": [{"href": "h", "rel": "self"}, {"href": "h", "rel": "self"}],
    }
    return ids | {"ram": 512, "vcpus": 1, "disk": 1, "ephemeral": 0}


def test_an_answer_as_documented_passes() -> None:
    promises.check("GET", FLAVORS, None, 200, HEADERS, {"flavors": [flavor()]})


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, HEADERS, {"flavors": [flavor() | {"more": 1}]}),
        (200, HEADERS, {"flavors": [{key: each for key, each in flavor().items() if key != "ram"}]}),
        (200, HEADERS, {"flavors": [], "more": 1}),
        (200, HEADERS, None),
        (200, {}, {"flavors": []}),
        (202, HEADERS, {"flavors": []}),
        (500, HEADERS, {"instanceFault": {"code": 500, "message": "m"}}),
        (404, HEADERS, {"itemNotFound": {"code": 404}}),
        (404, HEADERS, {"code": 404, "message": "m"}),
    ],
)
def test_an_answer_that_is_not_documented_fails(status: int, headers: dict[str, str], body: Any) -> None:
    with pytest.raises(NotPromised):
        promises.check("GET", FLAVORS, None, status, headers, body)


def test_a_body_with_an_empty_answer_fails() -> None:
    promises.check("DELETE", "/v1.0/p1/clusters/c", None, 202, HEADERS, None)
    with pytest.raises(NotPromised):
        promises.check("DELETE", "/v1.0/p1/clusters/c", None, 202, HEADERS, {})


def test_what_the_document_does_not_allow_may_not_be_accepted_and_what_it_allows_is_offered() -> None:
    path, not_offered = "/v1.0/p1/instances/i/action", {"notImplemented": {"code": 501, "message": "m"}}

    promises.check("POST", path, {"restart": {}}, 202, HEADERS, None)
    promises.check("POST", path, {"rebuild": {}}, 501, HEADERS, not_offered)
    with pytest.raises(NotPromised):
        promises.check("POST", path, {"rebuild": {}}, 202, HEADERS, None)
    with pytest.raises(NotPromised):
        promises.check("POST", path, {"restart": {}}, 501, HEADERS, not_offered)


def test_what_is_not_in_the_document_may_not_succeed() -> None:
    with pytest.raises(NotPromised):
        promises.check("GET", "/v1.0/p1/backups", None, 200, HEADERS, {"backups": []})
