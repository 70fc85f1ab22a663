"""The policy: each row is a route and each route a row; nobody reaches another project."""

import re
from typing import Any

import pytest

from app import app
from chalicelib.api.policy import POLICY
from chalicelib.api.routes import ROOT
from tests.api.client import ApiCaller
from tests.api.executions import executions
from tests.orders_placed import active

pytestmark = pytest.mark.usefixtures("catalog")

ONE = {"name": "x", "password": "correct horse battery"}
ANY_BODY = {"instance": {"name": "x"}, "databases": [{"name": "x"}], "users": [ONE], "user": ONE}
WRITES = [route for route, role in POLICY.items() if role == "member"]
MANAGEMENT = [route for route, role in POLICY.items() if role == "admin"]


def filled(route: str, **values: str) -> tuple[str, str]:
    method, path = route.split()
    return method, re.sub(r"{(\w+)}", lambda match: values.get(match[1], "some-id"), path)


def records() -> list[Any]:
    from tests.tables import MODELS

    return sorted(str(each.serialize()) for model in MODELS for each in model.scan())


def test_each_row_is_a_route_and_each_route_a_row() -> None:
    routes = {
        f"{method} {path.removeprefix(ROOT)}"
        for path, methods in app.routes.items()
        for method in methods
        if path.startswith(f"{ROOT}/")
    }
    assert routes == set(POLICY)


@pytest.mark.parametrize("route", WRITES)
def test_a_reader_may_not_write(route: str) -> None:
    answer = ApiCaller("reader").send(*filled(route), {})

    assert (answer.status, list(answer.body)) == (403, ["forbidden"])


@pytest.mark.parametrize("route", MANAGEMENT)
def test_a_member_manages_nothing(route: str) -> None:
    answer = ApiCaller("member").send(*filled(route), {})

    assert (answer.status, list(answer.body)) == (401, ["unauthorized"])


@pytest.mark.parametrize("token", [None, "nobody's"])
@pytest.mark.parametrize("route", POLICY)
def test_without_a_valid_token_nothing_is_told(route: str, token: str | None) -> None:
    assert ApiCaller(token).send(*filled(route), {}).status == 401


@pytest.mark.parametrize("route", POLICY)
def test_another_project_is_not_there(route: str) -> None:
    """Neither below its own path, nor by its ids below one's own; and nothing changes."""
    cluster = active(2)
    ids = {"cluster_id": cluster.cluster_id, "instance_id": cluster.instance_ids[0], "job_id": str(cluster.last_job_id)}
    ids |= {"quota_project_id": "p1", "known_project_id": "p1"}
    group = ApiCaller().post("/configurations", {"configuration": {"name": "c1-member", "values": {}}}).body
    ids["configuration_id"] = group["configuration"]["id"]
    before, begun = records(), executions()
    bodies: dict[str, Any] = {
        "POST /clusters/{cluster_id}": {"restart": {}},
        "POST /instances/{instance_id}/action": {"restart": {}},
    }
    method, path = filled(route, **ids)
    body = bodies.get(route, ANY_BODY)

    assert ApiCaller("other", "p1").send(method, path, body).status == 404
    answer = ApiCaller("other", "p2").send(method, path, body)

    if set(re.findall(r"{(\w+)}", route)) & set(ids):
        expected = 401 if POLICY[route] == "admin" else {"GET /mgmt/quotas/{quota_project_id}": 403}.get(route, 404)
        assert answer.status in {expected, 501}, answer.body
    assert "c1-member" not in str(answer.body)
    assert (records(), executions()) == (before, begun)
