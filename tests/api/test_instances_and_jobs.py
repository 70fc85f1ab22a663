"""Instances and jobs over the API."""

from typing import Any

import pytest

from chalicelib.jobs import endings
from chalicelib.models.instance import Instance
from chalicelib.models.job import Console, Job
from chalicelib.models.status import JobStatus
from tests.api.client import ApiCaller
from tests.api.executions import executions
from tests.orders_placed import active, change, fresh, fresh_job, ordered

pytestmark = pytest.mark.usefixtures("catalog")
member, admin = ApiCaller(), ApiCaller("admin", "admin")


def test_members_of_clusters_are_shown_on_demand() -> None:
    active(2)

    assert member.get("/instances").body == {"instances": []}
    listed = member.get("/instances?include_clustered=True").body["instances"]
    assert sorted(each["name"] for each in listed) == ["c1-member-1", "c1-member-2"]
    assert all(each["flavor"]["id"] == "1" and each["datastore"]["type"] == "redis" for each in listed)
    assert len(member.get("/instances/detail?include_clustered=true").body["instances"]) == 2


def test_an_instance_says_how_it_is_in_trove_s_words() -> None:
    placed = ordered(1, volume_gib=3)
    instance_id = placed.instances[0].instance_id

    building = member.get(f"/instances/{instance_id}").body["instance"]
    endings.succeed(placed.job)
    ready = member.get(f"/instances/{instance_id}").body["instance"]

    assert (building["status"], building["operating_status"]) == ("BUILD", "")
    assert (ready["status"], ready["operating_status"], ready["volume"]) == ("ACTIVE", "HEALTHY", {"size": 3})
    assert not {"fault", "ip", "server_id"} & set(ready)


def test_a_fault_is_shown_with_its_reason() -> None:
    placed = ordered(1)
    endings.fail(placed.job, JobStatus.FAILED, "no valid host")

    cluster = member.get(f"/clusters/{placed.cluster.cluster_id}").body["cluster"]
    instance = member.get(f"/instances/{placed.instances[0].instance_id}").body["instance"]

    assert (cluster["status"], cluster["fault"]["message"]) == ("ERROR", "no valid host")
    assert (instance["status"], instance["fault"]["message"]) == ("ERROR", "no valid host")


ACTIONS = [
    ({"restart": {}}, "restart_cluster"),
    ({"restart": None}, "restart_cluster"),
    ({"stop": {}}, "stop_cluster"),
    ({"rotate_key": {}}, "rotate_key"),
    ({"grow": [{"flavorRef": "1"}, {"flavorRef": "2", "name": "big"}]}, "add_instance"),
]


@pytest.mark.parametrize(("action", "workflow"), ACTIONS, ids=[str(each[0]) for each in ACTIONS])
def test_an_action_is_a_job_that_is_started(action: Any, workflow: str) -> None:
    cluster = active(2)

    answer = member.post(f"/clusters/{cluster.cluster_id}", action)

    assert (answer.status, answer.body["job"]["workflow"]) == (202, workflow)
    assert [(name, job_id) for name, job_id, _ in executions()] == [(workflow, answer.body["job"]["id"])]


BAD_ACTIONS: list[tuple[Any, int, str]] = [
    ({}, 400, "exactly one"),
    ([], 400, "exactly one"),
    ({"restart": {}, "stop": {}}, 400, "exactly one"),
    ({"explode": {}}, 400, "explode"),
    ({"upgrade": {"datastore_version": "x"}}, 501, "upgrade"),
    ({"grow": []}, 400, "grow"),
    ({"grow": {}}, 400, "grow"),
    ({"grow": [{"flavorRef": "77"}]}, 400, "77"),
    ({"grow": [{"flavorRef": "1"}] * 5}, 400, "at most 5"),
    ({"shrink": [{"id": "none"}]}, 404, "none"),
    ({"shrink": [{}]}, 400, "id"),
    ({"shrink": [{"id": "PRIMARY"}]}, 400, "primary"),
]


@pytest.mark.parametrize(("action", "status", "named"), BAD_ACTIONS, ids=[str(each[0]) for each in BAD_ACTIONS])
def test_a_bad_action_changes_nothing(action: Any, status: int, named: str) -> None:
    cluster = active(2)
    if "shrink" in action and action["shrink"][0].get("id") == "PRIMARY":
        action = {"shrink": [{"id": cluster.instance_ids[0]}]}

    answer = member.post(f"/clusters/{cluster.cluster_id}", action)

    assert (answer.status, named in next(iter(answer.body.values()))["message"]) == (status, True), answer.body
    assert (executions(), fresh(cluster).held_by, len(list(Job.scan()))) == ([], None, 1)


def test_a_job_shows_how_far_each_instance_is() -> None:
    placed = ordered(2)
    first = Instance.get(placed.instances[0].instance_id)
    first.step = "prepare_datastore"
    first.save_held()

    job = member.get(f"/jobs/{placed.job.job_id}").body["job"]

    assert [(each["step"], each["percent"]) for each in job["instances"]] == [("prepare_datastore", 50), (None, 0)]
    assert (job["status"], job["percent"], job["finished"]) == ("RUNNING", 25, None)


def test_a_job_that_ended_remembers_how_far_it_was() -> None:
    placed = ordered(1)
    first = Instance.get(placed.instances[0].instance_id)
    first.step = "prepare_datastore"
    first.save_held()
    endings.fail(fresh_job(placed.job), JobStatus.FAILED, "no space")

    job = member.get(f"/jobs/{placed.job.job_id}").body["job"]

    assert (job["status"], job["message"]) == ("FAILED", "no space")
    assert [(each["step"], each["percent"]) for each in job["instances"]] == [("prepare_datastore", 50)]


def test_jobs_are_listed_newest_first_page_by_page() -> None:
    cluster = active(1)
    for _ in range(3):
        endings.succeed(change("restart_cluster", cluster).job)

    first = member.get("/jobs?limit=3").body
    marker = first["links"][0]["href"].partition("marker=")[2]
    second = member.get(f"/jobs?limit=3&marker={marker}").body

    names = [each["workflow"] for each in first["jobs"] + second["jobs"]]
    assert names == ["restart_cluster"] * 3 + ["create_cluster"]
    assert len(member.get(f"/jobs?cluster_id={cluster.cluster_id}").body["jobs"]) == 4
    assert ApiCaller("other", "p2").get(f"/jobs?limit=1&cluster_id={cluster.cluster_id}").body == {"jobs": []}


def test_the_next_page_is_of_the_same_kind() -> None:
    active(2)

    page = member.get("/instances/detail?include_clustered=true&limit=1").body

    assert "/v1.0/p1/instances/detail?include_clustered=true&limit=1&marker=" in page["instances_links"][0]["href"]


def test_only_admins_see_the_console_of_a_server_that_did_not_come_up() -> None:
    placed = ordered(1)
    job, instance = fresh_job(placed.job), placed.instances[0]
    job.consoles = [Console(instance_id=instance.instance_id, name=instance.name, text="Kernel panic")]
    job.save_running()
    endings.fail(job, JobStatus.FAILED, "no answer")

    seen = admin.get(f"/jobs/{job.job_id}").body["job"]

    assert seen["consoles"] == [{"id": instance.instance_id, "name": instance.name, "text": "Kernel panic"}]
    assert "consoles" not in member.get(f"/jobs/{job.job_id}").body["job"]
    assert "consoles" not in admin.get(f"/jobs?cluster_id={job.cluster_id}").body["jobs"][0]


def test_only_admins_perform_and_read_the_output() -> None:
    cluster = active(1)
    path = f"/mgmt/instances/{cluster.instance_ids[0]}/action"
    order = {"perform": {"name": "look", "commands": ["uptime", "df -h"]}}

    refused = member.post(path, order)
    answer = admin.post(path, order)
    job_id = answer.body["job"]["id"]

    assert (refused.status, list(refused.body)) == (401, ["unauthorized"])
    assert answer.status == 200  # a 202 is empty
    assert Job.get(job_id).requested_by == "admin"
    assert ApiCaller("admin", "p1").get(f"/jobs/{job_id}").body["job"]["commands"] == ["uptime", "df -h"]
    assert "commands" not in member.get(f"/jobs/{job_id}").body["job"]


@pytest.mark.parametrize(
    "order",
    [{}, {"perform": {}}, {"perform": {"name": "x"}}, {"perform": {"name": "x", "commands": []}}]
    + [
        {"perform": {"name": "x", "commands": bad}}
        for bad in ("ls", [1], [""], ["x" * 5000], ["ls"] * 51, ["\ud800"], ["a\0b"])
    ],
)
def test_a_bad_errand_is_refused(order: Any) -> None:
    cluster = active(1)

    assert admin.post(f"/mgmt/instances/{cluster.instance_ids[0]}/action", order).status == 400
    assert admin.post("/mgmt/instances/none/action", {"perform": {"name": "x", "commands": ["ls"]}}).status == 404


def test_a_cluster_s_member_is_shown_below_it() -> None:
    cluster, other = active(1), active(1)
    instance_id = cluster.instance_ids[0]

    shown = member.get(f"/clusters/{cluster.cluster_id}/instances/{instance_id}")

    assert shown.body["instance"]["cluster_id"] == cluster.cluster_id
    assert member.get(f"/clusters/{other.cluster_id}/instances/{instance_id}").status == 404


@pytest.mark.parametrize("path", [f"/clusters?marker={'x' * 513}", f"/jobs?cluster_id={'x' * 256}"])
def test_what_is_longer_than_any_key_is_a_400(path: str) -> None:
    assert member.get(path).status == 400


def test_what_lies_beside_an_instance_is_no_instance() -> None:
    from chalicelib.models.turns import Turns

    Turns(key="i1/turns", waiting=["x"]).save()

    assert admin.get("/instances/i1%2Fturns").status == 404
