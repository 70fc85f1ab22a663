"""Clusters over the API: what is answered, what is recorded, what is started."""

from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from tests.api.client import ApiCaller
from tests.api.executions import executions

pytestmark = pytest.mark.usefixtures("catalog")
member = ApiCaller()


def order(**changes: Any) -> dict[str, Any]:
    cluster = {"name": "c1", "datastore": {"type": "mysql", "version": "10.11"}, "size": 3, "flavorRef": "1"}
    return {"cluster": {**cluster, "volume": {"size": 2}, **changes}}


def test_create_answers_the_cluster_and_its_password_once() -> None:
    answer = member.post("/clusters", order())

    cluster = answer.body["cluster"]
    assert answer.status == 200
    assert cluster["task"]["name"] == "BUILDING"
    assert [each["name"] for each in cluster["instances"]] == ["c1-member-1", "c1-member-2", "c1-member-3"]
    assert len(cluster["password"]) == 32
    assert "password" not in member.get(f"/clusters/{cluster['id']}").body["cluster"]


def test_create_records_all_and_starts_one_execution() -> None:
    cluster_id = member.post("/clusters", order()).body["cluster"]["id"]

    cluster, jobs = Cluster.get(cluster_id), list(Job.scan())
    assert [job.workflow for job in jobs] == ["create_cluster"]
    assert cluster.held_by == jobs[0].job_id
    assert {each.held_by for each in cluster.instances()} == {jobs[0].job_id}
    assert [each.role for each in cluster.instances()] == ["primary", "replica", "replica"]
    assert executions() == [("create_cluster", jobs[0].job_id, {"cluster_id": cluster_id})]
    assert (Project.get("p1").instances, Project.get("p1").volumes_gib) == (3, 6)


def test_secrets_are_nowhere_in_the_records() -> None:
    answer = member.post("/clusters", order())

    stored = str([each.serialize() for table in (Cluster, Instance, Key, Job) for each in table.scan()])
    assert answer.body["cluster"]["password"] not in stored
    assert "PRIVATE KEY" not in stored


def test_instances_may_be_given_one_by_one() -> None:
    instances = [{"flavorRef": "1", "name": "a"}, {"flavorRef": "http://x/flavors/2", "volume": {"size": "5"}}]
    body = {"cluster": {"name": "c1", "datastore": {"type": "redis", "version": "7.0"}, "instances": instances}}

    cluster_id = member.post("/clusters", body).body["cluster"]["id"]

    members = Cluster.get(cluster_id).instances()
    assert [(each.name, each.flavor_id, each.volume_gib) for each in members] == [
        ("a", "1", None),
        ("c1-member-1", "2", 5),
    ]


BAD_ORDERS = [
    ({"datastore": {"type": "oracle", "version": "1"}}, 404, "oracle"),
    ({"datastore": {"type": "mysql", "version": "9"}}, 400, "version"),
    ({"datastore": {"version": "9"}}, 400, "cluster['datastore']['type']"),
    ({"datastore": "mysql"}, 400, "cluster['datastore']"),
    ({"flavorRef": "77"}, 400, "flavorRef"),
    ({"flavorRef": True}, 400, "flavorRef"),
    ({"size": 0}, 400, "cluster['size']"),
    ({"size": 6}, 400, "cluster['size']"),
    ({"size": "many"}, 400, "cluster['size']"),
    ({"size": True}, 400, "cluster['size']"),
    ({"size": 1.5}, 400, "cluster['size']"),
    ({"name": ""}, 400, "cluster['name']"),
    ({"name": "x" * 256}, 400, "cluster['name']"),
    ({"name": "---"}, 400, "cluster['name']"),
    ({"name": 7}, 400, "cluster['name']"),
    ({"volume": {"size": 0}}, 400, "cluster['volume']['size']"),
    ({"volume": {"size": 2000}}, 413, "cluster['volume']['size']"),
    ({"volume": 5}, 400, "cluster['volume']"),
    ({"volume": {"size": 60}, "size": 2}, 413, "volumes"),
    ({"size": None, "instances": []}, 400, "cluster['instances']"),
    ({"size": None, "instances": [{}]}, 400, "cluster['instances'][0]['flavorRef']"),
    ({"size": None}, 400, "cluster['instances']"),
    ({"instances": [{"flavorRef": "1"}]}, 400, "cluster['size']"),
    ({"size": None, "instances": [{"flavorRef": "1", "name": "x"}] * 2}, 400, "one name"),
    ({"name": "a\ud800b"}, 400, "cluster['name']"),
    ({"name": "a\nb"}, 400, "cluster['name']"),
]


@pytest.mark.parametrize(("change", "status", "named"), BAD_ORDERS, ids=[str(each[0]) for each in BAD_ORDERS])
def test_a_bad_order_is_refused_by_field_and_nothing_is_written(change: Any, status: int, named: str) -> None:
    answer = member.post("/clusters", order(**change))

    (name, fault), *_ = answer.body.items()
    assert (answer.status, fault["code"]) == (status, status)
    assert named in fault["message"]
    assert name in {"badRequest", "itemNotFound", "overLimit"}
    assert not [*Cluster.scan(), *Instance.scan(), *Job.scan(), *Key.scan()]
    assert executions() == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"cluster": []}', b"[" * 50_000, b"\xff"])
def test_a_malformed_body_is_a_bad_request(raw: bytes) -> None:
    assert member.send("POST", "/clusters", raw=raw).body["badRequest"]["code"] == 400


@pytest.mark.parametrize(
    ("media", "status"),
    [("application/json; charset=utf-8", 200), ("Application/JSON", 200), ("text/plain", 415), ("", 415)],
)
def test_a_body_is_json_and_says_so(media: str, status: int) -> None:
    answer = member.send("POST", "/clusters", order(), media=media)

    assert answer.status == status
    assert status == 200 or answer.body["badMediaType"]["code"] == 415
    assert len(list(Cluster.scan())) == (status == 200)


def test_what_is_said_of_no_body_is_nothing() -> None:
    assert member.send("GET", "/clusters", media="text/plain").status == 200


def test_an_oversized_body_is_over_the_limit() -> None:
    answer = member.send("POST", "/clusters", raw=b" " * 70_000)

    assert (answer.status, list(answer.body)) == (413, ["overLimit"])


def test_the_quota_holds_over_several_orders() -> None:
    for _ in range(4):
        assert member.post("/clusters", order(size=5, volume=None)).status == 200

    assert (
        member.post("/clusters", order(size=1, volume=None)).body["overLimit"]["message"].startswith("Quota exceeded")
    )


def test_a_busy_cluster_refuses_every_change() -> None:
    cluster_id = member.post("/clusters", order()).body["cluster"]["id"]

    answers = [
        member.delete(f"/clusters/{cluster_id}"),
        member.post(f"/clusters/{cluster_id}", {"restart": {}}),
        member.post(f"/clusters/{cluster_id}", {"grow": [{"flavorRef": "1"}]}),
    ]

    assert [(each.status, list(each.body)) for each in answers] == [(422, ["unprocessableEntity"])] * 3
    assert len(list(Job.scan())) == 1


def test_lists_go_page_by_page() -> None:
    ids = sorted(member.post("/clusters", order(size=1, volume=None)).body["cluster"]["id"] for _ in range(5))

    first = member.get("/clusters?limit=2").body
    second = member.get(f"/clusters?limit=2&marker={ids[1]}").body
    last = member.get(f"/clusters?limit=2&marker={ids[3]}").body

    assert [each["id"] for each in first["clusters"] + second["clusters"] + last["clusters"]] == ids
    assert first["links"][0]["href"].endswith(f"/v1.0/p1/clusters?limit=2&marker={ids[1]}")
    assert first["clusters_links"] == first["links"]
    assert "links" not in last


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "9" * 5000, "٣"])
def test_a_wrong_limit_is_a_bad_request(limit: str) -> None:
    assert member.get(f"/clusters?limit={quote(limit)}").status == 400


def test_an_endless_id_is_not_found() -> None:
    assert member.get(f"/clusters/{'x' * 3000}").status == 404


def test_a_member_deleted_between_two_reads_is_shown_as_a_list_shows_it() -> None:
    cluster = member.post("/clusters", order(size=2)).body["cluster"]
    Instance.get(cluster["instances"][1]["id"]).delete(add_version_condition=False)

    shown = member.get(f"/clusters/{cluster['id']}")

    assert (shown.status, ["status" in each for each in shown.body["cluster"]["instances"]]) == (200, [True, False])


def test_another_project_sees_nothing_of_it() -> None:
    cluster = member.post("/clusters", order()).body["cluster"]
    instance_id = cluster["instances"][0]["id"]
    other = ApiCaller("other", "p2")

    answers = [
        other.get(f"/clusters/{cluster['id']}"),
        other.get(f"/clusters/{cluster['id']}/instances/{instance_id}"),
        other.get(f"/instances/{instance_id}"),
        other.get(f"/jobs/{cluster['job_id']}"),
        other.delete(f"/clusters/{cluster['id']}"),
        other.post(f"/clusters/{cluster['id']}", {"restart": {}}),
        ApiCaller("other", "p1").get("/clusters"),
    ]

    assert [(each.status, list(each.body)) for each in answers] == [(404, ["itemNotFound"])] * 7
    assert other.get("/clusters").body == {"clusters": []}
    assert other.get("/instances?include_clustered=true").body == {"instances": []}
    assert other.get("/jobs").body == {"jobs": []}


def test_a_missing_or_wrong_token_is_unauthorized() -> None:
    assert [ApiCaller(token).get("/clusters").status for token in (None, "wrong", "x" * 10_000)] == [401] * 3


def test_a_reader_reads_and_may_not_write() -> None:
    cluster_id = member.post("/clusters", order()).body["cluster"]["id"]
    reader = ApiCaller("reader")

    assert reader.get(f"/clusters/{cluster_id}").status == 200
    assert reader.post("/clusters", order()).body["forbidden"]["code"] == 403
    assert reader.delete(f"/clusters/{cluster_id}").status == 403


def test_every_answer_has_a_request_id() -> None:
    answers = [member.get("/clusters"), member.get("/clusters/none"), ApiCaller(None).get("/clusters")]

    assert all(each.headers["x-openstack-request-id"].startswith("req-") for each in answers)


def test_a_datastore_may_say_how_many_instances_a_cluster_has() -> None:
    redis = next(each for each in Datastore.all() if each.datastore == "redis")
    redis.most_instances = 1
    redis.save()
    lone = order(datastore={"type": "redis", "version": "7.0"}, size=1)
    cluster_id = member.post("/clusters", lone).body["cluster"]["id"]
    (job,) = Job.scan()
    endings.succeed(job)

    answers = [
        member.post("/clusters", order(datastore={"type": "redis", "version": "7.0"}, size=2)),
        member.post(f"/clusters/{cluster_id}", {"grow": [{"flavorRef": "1"}]}),
    ]

    assert [each.status for each in answers] == [400, 400]
    assert all("at most 1 instances" in each.body["badRequest"]["message"] for each in answers)
