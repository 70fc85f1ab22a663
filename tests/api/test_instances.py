"""Trove's instances over the API: ordered, replicated, renamed, deleted, acted on."""

from typing import Any

import pytest

from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.project import Project
from chalicelib.models.status import JobStatus, Status
from tests.api.client import Answer, ApiCaller
from tests.api.executions import executions
from tests.orders_placed import active, fresh_job

pytestmark = pytest.mark.usefixtures("catalog")
member, admin = ApiCaller(), ApiCaller("admin", "admin")


def order(**changes: Any) -> dict[str, Any]:
    instance = {"name": "db1", "flavorRef": 1, "volume": {"size": 2, "type": None}, "access": {"is_public": False}}
    return {"instance": {**instance, "datastore": {"type": "redis", "version": "7.0"}, **changes}}


def created(**changes: Any) -> str:
    """An instance whose job has ended well."""
    instance = member.post("/instances", order(**changes)).body["instance"]
    endings.succeed(Job.get(instance["job_id"]))
    return str(instance["id"])


def with_replicas(count: int = 1) -> tuple[str, list[str]]:
    source_id = created()
    answer = member.post("/instances", replicas_of(source_id, count))
    assert answer.status == 200, answer.body
    endings.succeed(Job.get(answer.body["instance"]["job_id"]))
    ids = Cluster.get(Instance.get(source_id).cluster_id).instance_ids
    return source_id, ids[1:]


def replicas_of(source_id: str, count: int = 1, **more: Any) -> dict[str, Any]:
    return {"instance": {"name": "copy", "replica_of": source_id, "replica_count": count, **more}}


def said(answer: Answer) -> str:
    return str(next(iter(answer.body.values()))["message"])


def test_an_instance_is_a_cluster_of_its_own() -> None:
    answer = member.post("/instances", order())

    instance = answer.body["instance"]
    assert (answer.status, instance["status"], instance["operating_status"]) == (200, "BUILD", "")
    assert (instance["name"], instance["flavor"]["id"], instance["volume"]) == ("db1", "1", {"size": 2})
    assert (len(instance["password"]), "cluster_id" in instance, "replicas" in instance) == (32, False, False)
    assert member.get("/clusters").body == {"clusters": []}
    assert [each["id"] for each in member.get("/instances").body["instances"]] == [instance["id"]]
    assert [name for name, _, _ in executions()] == ["create_cluster"]


def test_without_a_datastore_it_is_the_default_one() -> None:
    instance = member.post("/instances", {"instance": {"name": "db1", "flavorRef": "1"}}).body["instance"]

    assert instance["datastore"] == {"type": "mysql", "version": "10.11", "version_number": "10.11"}


@pytest.mark.parametrize("flavor", [{"flavor": "2"}, {"flavor": {"id": "2"}}, {"flavorRef": "http://x/flavors/2"}])
def test_a_flavor_is_given_in_any_client_s_way(flavor: Any) -> None:
    body = {"instance": {"name": "db1", "datastore": {"type": "redis"}, **flavor}}

    assert member.post("/instances", body).body["instance"]["flavor"]["id"] == "2"


BAD_ORDERS: list[tuple[dict[str, Any], int, str]] = [
    ({"name": ""}, 400, "instance['name']"),
    ({"name": "x" * 256}, 400, "instance['name']"),
    ({"flavorRef": None}, 400, "instance['flavorRef']"),
    ({"flavorRef": "77"}, 400, "flavorRef"),
    ({"volume": {}}, 400, "instance['volume']['size']"),
    ({"volume": {"size": 0}}, 400, "instance['volume']['size']"),
    ({"volume": {"size": 2000}}, 413, "instance['volume']['size']"),
    ({"volume": {"size": 200}}, 413, "volumes"),
    ({"datastore": {"type": "oracle"}}, 404, "oracle"),
    ({"datastore": {"type": "redis", "version": "9"}}, 400, "version"),
    ({"datastore": "redis"}, 400, "instance['datastore']"),
    ({"replica_count": 2}, 400, "replica_count"),
    ({"replica_of": "none"}, 400, "flavorRef"),
    ({"restorePoint": {"backupRef": "x"}}, 400, "restorePoint"),
    ({"modules": [{"id": "x"}]}, 400, "modules"),
]


@pytest.mark.parametrize(("changes", "status", "named"), BAD_ORDERS, ids=[str(each[0]) for each in BAD_ORDERS])
def test_a_bad_order_is_refused_and_nothing_is_written(changes: Any, status: int, named: str) -> None:
    answer = member.post("/instances", order(**changes))

    assert (answer.status, named in said(answer)) == (status, True), answer.body
    assert (list(Cluster.scan()), list(Job.scan()), executions()) == ([], [], [])


def test_replicas_are_like_their_source_and_shown_with_it() -> None:
    source_id = created()

    last = member.post("/instances", replicas_of(source_id, 2)).body["instance"]
    endings.succeed(Job.get(last["job_id"]))
    source = member.get(f"/instances/{source_id}").body["instance"]
    replica = member.get(f"/instances/{last['id']}").body["instance"]
    listed = {each["name"]: each for each in member.get("/instances").body["instances"]}

    assert (last["name"], last["volume"], "password" in last) == ("copy-2", {"size": 2}, False)
    assert replica["replica_of"]["id"] == last["replica_of"]["id"] == source_id
    assert [each["id"] for each in source["replicas"]][1] == last["id"]
    assert ("replica_of" in source, "replicas" in replica) == (False, False)
    assert sorted(listed) == ["copy-1", "copy-2", "db1"]
    assert listed["copy-1"]["replica_of"]["id"] == source_id
    assert len(listed["db1"]["replicas"]) == 2
    detail = member.get("/instances/detail").body["instances"]
    assert {each["name"]: "replica_of" in each for each in detail} == {"copy-1": True, "copy-2": True, "db1": False}


@pytest.mark.parametrize("more", [{"flavorRef": "1"}, {"volume": {"size": 2}}, {"datastore": {"type": "redis"}}])
def test_a_replica_s_order_says_nothing_that_its_source_decides(more: Any) -> None:
    assert member.post("/instances", replicas_of(created(), **more)).status == 400


def test_what_cannot_be_a_source_is_refused() -> None:
    source_id, (replica_id,) = with_replicas()
    building_id = member.post("/instances", order()).body["instance"]["id"]
    clustered_id = active(1).instance_ids[0]

    assert member.post("/instances", replicas_of(replica_id)).status == 400
    assert member.post("/instances", replicas_of(clustered_id)).status == 400
    assert member.post("/instances", replicas_of(building_id)).status == 422
    assert ApiCaller("other", "p2").post("/instances", replicas_of(source_id)).status == 404
    assert member.post("/instances", replicas_of(source_id, 4)).status == 400


def test_deleting_the_only_one_deletes_its_cluster() -> None:
    instance_id = created()

    answer = member.delete(f"/instances/{instance_id}")

    assert (answer.status, answer.body) == (202, None)
    assert executions()[-1][0] == "delete_cluster"
    assert member.get(f"/instances/{instance_id}").body["instance"]["status"] == "SHUTDOWN"
    endings.forget_cluster(Job.get(executions()[-1][1]))
    assert member.get(f"/instances/{instance_id}").status == 404
    assert Project.get("p1").instances == 0


def test_a_source_goes_after_its_replicas() -> None:
    source_id, (replica_id,) = with_replicas()

    refused = member.delete(f"/instances/{source_id}")
    assert (refused.status, "1 replicas" in said(refused)) == (403, True)
    assert member.delete(f"/instances/{replica_id}").status == 202
    endings.forget_instances(Job.get(executions()[-1][1]))

    assert "replicas" not in member.get(f"/instances/{source_id}").body["instance"]
    assert member.delete(f"/instances/{source_id}").status == 202


def test_what_is_busy_or_a_cluster_s_is_not_deleted() -> None:
    building_id = member.post("/instances", order()).body["instance"]["id"]

    busy = member.delete(f"/instances/{building_id}")
    assert (busy.status, building_id in said(busy)) == (422, True)
    assert member.delete(f"/instances/{active(1).instance_ids[0]}").status == 501
    assert ApiCaller("other", "p2").delete(f"/instances/{building_id}").status == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_instance_is_renamed(method: str) -> None:
    instance_id = created()

    answer = member.send(method, f"/instances/{instance_id}", {"instance": {"name": "new"}})

    instance = Instance.get(instance_id)
    cluster = Cluster.get(instance.cluster_id)
    assert (answer.status, answer.body) == (202, None)
    assert (instance.name, cluster.name, cluster.members[0].name) == ("new", "new", "new")


BAD_UPDATES: list[tuple[Any, int]] = [
    ({"instance": {"name": ""}}, 400),
    ({"instance": {"colour": "red"}}, 400),
    ({"instance": []}, 400),
    ({}, 400),
    ({"instance": {"replica_of": None, "datastore_version": "x"}}, 400),
    ({"instance": {"replica_of": None}}, 501),
    ({"instance": {"datastore_version": "x"}}, 501),
]


@pytest.mark.parametrize(("body", "status"), BAD_UPDATES)
def test_a_bad_update_changes_nothing(body: Any, status: int) -> None:
    instance_id = created()

    assert member.send("PUT", f"/instances/{instance_id}", body).status == status
    assert Instance.get(instance_id).name == "db1"


def test_nobody_renames_what_a_job_holds() -> None:
    instance_id = member.post("/instances", order()).body["instance"]["id"]

    assert member.send("PUT", f"/instances/{instance_id}", {"instance": {"name": "new"}}).status == 422


@pytest.mark.parametrize("body", [{"restart": {}}, {"restart": None}])
def test_a_restart_is_about_the_one(body: Any) -> None:
    source_id, (replica_id,) = with_replicas()

    assert member.post(f"/instances/{replica_id}/action", body).status == 202
    assert member.get(f"/instances/{replica_id}").body["instance"]["status"] == "REBOOT"
    assert member.get(f"/instances/{source_id}").body["instance"]["status"] == "ACTIVE"
    assert member.post(f"/instances/{source_id}/action", body).status == 422


def test_what_was_stopped_is_started_by_a_restart() -> None:
    instance_id = created()
    assert member.post(f"/instances/{instance_id}/action", {"stop": {}}).status == 202
    endings.succeed(Job.get(executions()[-1][1]))

    shown = member.get(f"/instances/{instance_id}").body["instance"]
    assert (shown["status"], shown["operating_status"]) == ("ACTIVE", "SHUTDOWN")
    assert member.post(f"/instances/{instance_id}/action", {"restart": {}}).status == 202
    assert executions()[-1][0] == "start_cluster"


def test_administrators_reboot_a_server() -> None:
    source_id, (replica_id,) = with_replicas()

    assert admin.post(f"/mgmt/instances/{replica_id}/action", {"reboot": {}}).status == 202
    assert executions()[-1][0] == "reboot_instance"
    shown = [member.get(f"/instances/{each}").body["instance"]["status"] for each in (source_id, replica_id)]
    assert shown == ["ACTIVE", "REBOOT"]
    assert admin.post(f"/mgmt/instances/{source_id}/action", {"reboot": {}}).status == 422


def test_administrators_stop_one_too() -> None:
    instance_id = created()

    assert admin.post(f"/mgmt/instances/{instance_id}/action", {"stop": {}}).status == 202
    assert executions()[-1][0] == "stop_cluster"


BAD_ACTIONS: list[tuple[Any, int]] = [
    ({}, 400),
    ([], 400),
    ({"restart": {}, "stop": {}}, 400),
    ({"explode": {}}, 400),
    ({"resize": {"flavorRef": "2"}}, 501),
    ({"resize": {"flavor": {"id": "2"}, "volume": 4}}, 501),
    ({"promote_to_replica_source": {}}, 501),
    ({"reset_status": {}}, 403),
    ({"reboot": {}}, 403),
]


@pytest.mark.parametrize(("body", "status"), BAD_ACTIONS)
def test_a_bad_action_does_nothing(body: Any, status: int) -> None:
    instance_id = created()

    assert member.post(f"/instances/{instance_id}/action", body).status == status
    assert len(executions()) == 1


@pytest.mark.parametrize("path", ["/instances/{}/action", "/mgmt/instances/{}/action"])
@pytest.mark.parametrize("action", ["reset_status", "reset-task-status"])
def test_a_reset_ends_what_it_is_stuck_in(path: str, action: str) -> None:
    instance = member.post("/instances", order()).body["instance"]

    answer = admin.post(path.format(instance["id"]), {action: {}})

    job = fresh_job(Job.get(instance["job_id"]))
    assert (answer.status, job.status, job.message) == (202, JobStatus.ABORTED, "Reset by admin.")
    assert Instance.get(instance["id"]).status == Status.ERROR
    assert member.delete(f"/instances/{instance['id']}").status == 202


def test_a_reset_of_what_is_not_stuck_changes_nothing() -> None:
    instance_id = created()

    assert admin.post(f"/instances/{instance_id}/action", {"reset_status": {}}).status == 202
    assert Instance.get(instance_id).status == Status.ACTIVE


def test_what_is_refused_leaves_the_name_too() -> None:
    instance_id = created()
    for record in (instance := Instance.get(instance_id), Cluster.get(instance.cluster_id)):
        record.status = Status.ERROR
        record.save()
    access = {"allowed_cidrs": ["10.0.0.0/8"]}

    answer = member.send("PUT", f"/instances/{instance_id}", {"instance": {"name": "new", "access": access}})

    assert answer.status == 422
    assert Instance.get(instance_id).name == "db1"


def test_a_name_comes_with_another_change() -> None:
    instance_id = created()
    access = {"allowed_cidrs": ["10.0.0.0/8"]}

    answer = member.send("PUT", f"/instances/{instance_id}", {"instance": {"name": "new", "access": access}})

    assert answer.status == 202
    assert Instance.get(instance_id).name == "new"
    assert [name for name, _, _ in executions()] == ["create_cluster", "change_access"]
