"""What each read costs: DynamoDB requests, counted at the client."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.jobs import endings
from chalicelib.orders.order import Change
from chalicelib.orders.placing import place_change
from tests.api.client import ApiCaller
from tests.orders_placed import MEMBER, active, fresh, ordered
from tests.tables import MODELS

pytestmark = pytest.mark.usefixtures("catalog")
member = ApiCaller()


@contextmanager
def counted() -> Iterator[list[str]]:
    calls: list[str] = []

    def note(model: Any, **_: object) -> None:
        calls.append(model.name)

    events = {id(each): each for model in MODELS for each in [model._get_connection().connection.client.meta.events]}
    for each in events.values():
        each.register("before-call.dynamodb", note)
    try:
        yield calls
    finally:
        for each in events.values():
            each.unregister("before-call.dynamodb", note)


def requests_of(path: str) -> list[str]:
    with counted() as calls:
        assert member.get(path).status == 200
    return calls


def test_a_show_is_two_requests_at_most() -> None:
    placed = ordered(3)
    cluster_id, instance_id = placed.cluster.cluster_id, placed.instances[0].instance_id

    assert requests_of(f"/clusters/{cluster_id}") == ["GetItem", "BatchGetItem"]
    assert requests_of(f"/instances/{instance_id}") == ["GetItem"]
    alone = member.post("/instances", {"instance": {"name": "i", "flavorRef": 1, "datastore": {"type": "redis"}}})
    assert requests_of(f"/instances/{alone.body['instance']['id']}") == ["GetItem", "GetItem"]
    assert requests_of(f"/clusters/{cluster_id}/instances/{instance_id}") == ["GetItem"]
    assert requests_of(f"/jobs/{placed.job.job_id}") == ["GetItem", "BatchGetItem"]
    endings.succeed(placed.job)
    assert requests_of(f"/jobs/{placed.job.job_id}") == ["GetItem"]


PAGES = [
    "/clusters",
    "/clusters?limit=1",
    "/instances?include_clustered=true",
    "/jobs",
    "/jobs?limit=1",
    "/datastores",
    "/datastores/redis",
    "/datastores/redis/versions/7.0",
    "/flavors",
    "/flavors/1",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_one_query(path: str) -> None:
    active(2)
    active(1)

    assert requests_of(path) == ["Query"]


def test_a_page_of_large_records_is_shorter_and_still_one_query() -> None:
    clusters = [active(1) for _ in range(8)]
    for each in clusters:
        each.message = "x" * 200_000
        each.save()
    seen: list[str] = []
    pages, path = 0, "/clusters"

    while path:
        with counted() as calls:
            page = member.get(path).body
        assert calls == ["Query"]
        seen += [each["id"] for each in page["clusters"]]
        pages += 1
        path = page["links"][0]["href"].partition("/p1")[2] if page.get("links") else ""

    assert (seen, pages) == (sorted(each.cluster_id for each in clusters), 2)


def test_limits_are_the_project_s_own() -> None:
    assert requests_of("/limits") == ["GetItem"]


@pytest.mark.parametrize("action", [{"restart": {}}, {"shrink": [{"id": "REPLICA"}]}])
def test_an_action_reads_its_cluster_once(action: dict[str, Any]) -> None:
    cluster = active(2)
    if "shrink" in action:
        action = {"shrink": [{"id": cluster.instance_ids[1]}]}

    with counted() as calls:
        assert member.post(f"/clusters/{cluster.cluster_id}", action).status == 202

    assert [each for each in calls if each != "TransactWriteItems"] == ["GetItem", "BatchGetItem"]


def test_what_was_read_already_may_be_stale() -> None:
    known = active(2)
    fresh(known).save()

    placed = place_change(Change("restart_cluster", known.cluster_id), MEMBER, known)

    assert fresh(known).held_by == placed.job.job_id
