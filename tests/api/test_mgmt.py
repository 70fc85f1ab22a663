"""What administrators see and set: all projects' instances, quotas, datastore versions."""

from typing import Any

import pytest

from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore, version_id_of
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.api.client import ApiCaller
from tests.orders_placed import active, fresh_job, ordered

pytestmark = pytest.mark.usefixtures("catalog")
member, other, admin = ApiCaller(), ApiCaller("other", "p2"), ApiCaller("admin", "admin")
REDIS = version_id_of("redis", "7.0")


def instance_of(caller: ApiCaller) -> str:
    body = {"instance": {"name": "db", "flavorRef": 1, "datastore": {"type": "redis"}}}
    instance = caller.post("/instances", body).body["instance"]
    endings.succeed(Job.get(instance["job_id"]))
    return str(instance["id"])


def test_instances_of_all_projects_are_listed_page_by_page() -> None:
    ids = sorted([instance_of(member), instance_of(member), instance_of(other)])
    active(1)

    seen: list[str] = []
    path = "/mgmt/instances?include_clustered=False&deleted=False&limit=1"
    while path:
        body = admin.get(path).body
        seen += [each["id"] for each in body["instances"]]
        path = body["links"][0]["href"].partition("/admin")[2] if "links" in body else ""

    assert seen == ids
    assert len(admin.get("/mgmt/instances?include_clustered=True").body["instances"]) == 4
    assert [each["tenant_id"] for each in admin.get("/mgmt/instances?project_id=p2").body["instances"]] == ["p2"]


def test_an_administrator_reaches_every_project_s() -> None:
    instance_id = instance_of(member)

    shown = admin.get(f"/mgmt/instances/{instance_id}").body["instance"]

    assert (shown["tenant_id"], shown["deleted"], shown["server"]) == ("p1", False, None)
    assert admin.get(f"/instances/{instance_id}").body["instance"]["tenant_id"] == "p1"
    assert [each["workflow"] for each in admin.get(f"/jobs?instance_id={instance_id}").body["jobs"]] == [
        "create_cluster"
    ]
    assert admin.delete(f"/instances/{instance_id}").status == 202


def test_clusters_of_all_projects_are_listed_without_stand_alone_instances() -> None:
    cluster = active(2)
    instance_of(member)

    listed = admin.get("/mgmt/clusters").body["clusters"]

    assert [(each["id"], each["tenant_id"]) for each in listed] == [(cluster.cluster_id, "p1")]
    shown = admin.get(f"/mgmt/clusters/{cluster.cluster_id}").body["cluster"]
    assert [each["role"] for each in shown["instances"]] == ["primary", "replica"]


def test_a_cluster_s_task_is_reset() -> None:
    placed = ordered(1)
    path = f"/mgmt/clusters/{placed.cluster.cluster_id}/action"

    assert admin.post(path, {"reset-task": {}}).status == 202
    assert admin.post(path, {"explode": {}}).status == 400
    assert fresh_job(placed.job).status == JobStatus.ABORTED
    assert Cluster.get(placed.cluster.cluster_id).held_by is None


def test_quotas_are_told_and_set() -> None:
    ordered(2, volume_gib=3)

    quotas = {each["resource"]: each for each in member.get("/mgmt/quotas/p1").body["quotas"]}
    assert (quotas["instances"]["in_use"], quotas["instances"]["limit"], quotas["volumes"]["in_use"]) == (2, 20, 6)
    assert other.get("/mgmt/quotas/p1").status == 403
    assert member.send("PUT", "/mgmt/quotas/p1", {"quotas": {"instances": 50}}).status == 401

    answer = admin.send("PUT", "/mgmt/quotas/p1", {"quotas": {"instances": "3", "volumes": -1}})

    assert answer.body == {"quotas": {"instances": 3, "volumes": -1}}
    absolute = member.get("/limits").body["limits"][0]
    assert (absolute["max_instances"], absolute["max_volumes"]) == (3, -1)
    order = {"instance": {"name": "db", "flavorRef": 1, "datastore": {"type": "redis"}, "volume": {"size": 900}}}
    assert member.post("/instances", order).status == 200
    assert member.post("/instances", order).status == 413
    assert other.post("/instances", order).status == 413


@pytest.mark.parametrize("quotas", [{"ram": 1}, {"instances": -2}, {"instances": "many"}, [], None])
def test_a_bad_quota_is_refused(quotas: Any) -> None:
    assert admin.send("PUT", "/mgmt/quotas/p1", {"quotas": quotas}).status == 400


NEW = {"name": "7.2", "datastore_name": "redis", "datastore_manager": "redis", "image": "debian-13", "active": True}


def test_a_version_is_offered_changed_and_withdrawn() -> None:
    version = {**NEW, "packages": ["redis-server"], "default": True, "version": "7.2.4"}
    assert admin.post("/mgmt/datastore-versions", {"version": version}).status == 202

    (new,) = [each for each in admin.get("/mgmt/datastore-versions").body["versions"] if each["name"] == "7.2"]
    assert (new["version"], new["default"], new["packages"]) == ("7.2.4", True, ["redis-server"])
    assert member.get("/datastores/redis").body["datastore"]["default_version"] == new["id"]
    assert not Datastore.of_version(REDIS).is_default

    path = f"/mgmt/datastore-versions/{new['id']}"
    assert admin.send("PATCH", path, {"active": False, "image": "debian-14"}).status == 202
    assert admin.get(path).body["version"]["image"] == "debian-14"
    assert member.get("/datastores/redis/versions/7.2").status == 404
    assert admin.delete(path).status == 202
    assert admin.get(path).status == 404
    assert admin.post("/mgmt/datastore-versions", {"version": version}).status == 202
    assert admin.get(path).body["version"]["active"] is True


@pytest.mark.parametrize(
    "changes",
    [
        *(
            {"name": "7.0"},
            {"name": None},
            {"datastore_manager": "oracle"},
            {"datastore_manager": "a..b"},
            {"datastore_manager": "no.such.Manager"},
            {"image": None},
            {"colour": "red"},
        ),
        *({"active": "yes"}, {"image_tags": ["x"]}, {"packages": "x"}, {"packages": {}}, {"packages": 0}),
    ],
)
def test_a_bad_version_is_refused(changes: dict[str, Any]) -> None:
    before = len(Datastore.every())

    assert admin.post("/mgmt/datastore-versions", {"version": {**NEW, **changes}}).status == 400
    assert len(Datastore.every()) == before


def test_a_withdrawn_version_still_serves_what_runs_it() -> None:
    cluster = active(1)
    admin.delete(f"/mgmt/datastore-versions/{REDIS}")

    assert member.post(f"/clusters/{cluster.cluster_id}", {"grow": [{"flavorRef": "1"}]}).status == 202
    assert (
        member.post("/instances", {"instance": {"name": "d", "flavorRef": 1, "datastore": {"type": "redis"}}}).status
        == 404
    )
