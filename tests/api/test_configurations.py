"""Configuration groups over the API: made, checked, given to instances, edited, taken away; drift is shown."""

from typing import Any

import pytest

from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.api.client import Answer, ApiCaller
from tests.api.served import created
from tests.ledger import Ledger
from tests.orders_placed import fresh_job
from tests.simulation.service import Simulation

member, reader, other = ApiCaller(), ApiCaller("reader"), ApiCaller("other", "p2")


def group(**values: Any) -> str:
    body = {"configuration": {"name": "g", "values": values, "datastore": {"type": "ledger", "version": "1"}}}
    answer = member.post("/configurations", body)
    assert answer.status == 200, answer.body
    return str(answer.body["configuration"]["id"])


def carried_out(simulation: Simulation, answer: Answer) -> Job:
    """Carry out the job that began last."""
    job = max(Job.scan(), key=lambda each: each.sort_key)
    simulation.carry_out(job)
    return fresh_job(job)


def attach(simulation: Simulation, instance_id: str, group_id: str | None) -> Job:
    answer = member.send("PUT", f"/instances/{instance_id}", {"instance": {"configuration": group_id}})
    assert answer.status == 202, answer.body
    return carried_out(simulation, answer)


def shown(instance_id: str) -> Any:
    return reader.get(f"/instances/{instance_id}").body["instance"]


def test_a_group_is_made_listed_shown_and_deleted(ledger: Ledger) -> None:
    id_ = group(most="20", mode="fast")

    made = reader.get(f"/configurations/{id_}").body["configuration"]
    assert (made["values"], made["instance_count"], made["datastore_name"]) == (
        {"most": 20, "mode": "fast"},
        0,
        "ledger",
    )
    (listed,) = reader.get("/configurations").body["configurations"]
    assert (listed["id"], "values" in listed) == (id_, False)
    assert other.get(f"/configurations/{id_}").status == 404
    assert member.delete(f"/configurations/{id_}").status == 202
    assert reader.get(f"/configurations/{id_}").status == 404


@pytest.mark.parametrize(
    ("changes", "status", "named"),
    [
        ({"values": {"colour": 1}}, 422, "colour"),
        ({"values": {"most": 101}}, 422, "most"),
        ({"values": {"most": "many"}}, 422, "most"),
        ({"values": {"mode": "slow"}}, 422, "mode"),
        ({"values": []}, 400, "values"),
        ({"values": None}, 400, "values"),
        ({"name": ""}, 400, "name"),
        ({"datastore": {"type": "oracle"}}, 404, "oracle"),
        ({"datastore": {"type": "ledger", "version": "9"}}, 400, "9"),
        ({"datastore": {"type": "ledger", "version": "1", "version_number": 1}}, 400, "version_number"),
    ],
)
def test_a_bad_group_is_refused(ledger: Ledger, changes: dict[str, Any], status: int, named: str) -> None:
    body = {"name": "g", "values": {}, "datastore": {"type": "ledger"}, **changes}

    answer = member.post("/configurations", {"configuration": body})

    assert (answer.status, named in next(iter(answer.body.values()))["message"]) == (status, True), answer.body
    assert list(Configuration.scan()) == []


def test_an_instance_gets_a_group_and_loses_it(simulation: Simulation, instance_id: str, ledger: Ledger) -> None:
    id_ = group(most=20)

    assert attach(simulation, instance_id, id_).status == JobStatus.SUCCEEDED
    assert (ledger.settings["most"], shown(instance_id)["configuration"]["id"]) == (20, id_)
    assert reader.get(f"/configurations/{id_}/instances").body == {"instances": [{"id": instance_id, "name": "db1"}]}
    assert member.delete(f"/configurations/{id_}").status == 400
    assert attach(simulation, instance_id, None).status == JobStatus.SUCCEEDED
    assert (ledger.settings["most"], "configuration" in shown(instance_id)) == (10, False)
    assert member.delete(f"/configurations/{id_}").status == 202


def test_nothing_at_all_takes_the_group_away(simulation: Simulation, instance_id: str) -> None:
    attach(simulation, instance_id, group(most=20))

    answer = member.send("PUT", f"/instances/{instance_id}", {"instance": {}})

    assert (answer.status, carried_out(simulation, answer).workflow) == (202, "configure_instances")
    assert Instance.get(instance_id).configuration_id is None


def test_a_static_parameter_waits_for_a_restart(simulation: Simulation, instance_id: str) -> None:
    attach(simulation, instance_id, group(mode="fast"))
    replica = {"instance": {"name": "copy", "replica_of": instance_id}}
    assert member.post("/instances", replica).status == 422
    assert (shown(instance_id)["status"], shown(instance_id)["operating_status"]) == ("RESTART_REQUIRED",) * 2
    drift = reader.get(f"/instances/{instance_id}/configuration").body["instance"]["drift"]
    assert drift == [{"name": "mode", "wanted": "fast", "actual": "safe", "waits_for_restart": True}]

    carried_out(simulation, member.post(f"/instances/{instance_id}/action", {"restart": {}}))

    assert shown(instance_id)["status"] == "ACTIVE"


def test_what_the_server_refuses_is_told_and_changes_nothing(simulation: Simulation, instance_id: str) -> None:
    job = attach(simulation, instance_id, group(most=13))

    assert (job.status, "does not want most" in str(job.message)) == (JobStatus.FAILED, True)
    assert (Instance.get(instance_id).configuration_id, shown(instance_id)["status"]) == (None, "ACTIVE")


def test_an_edit_reaches_every_instance(simulation: Simulation, instance_id: str, ledger: Ledger) -> None:
    id_ = group(most=20)
    attach(simulation, instance_id, id_)

    edited = member.send("PATCH", f"/configurations/{id_}", {"configuration": {"values": {"mode": "fast"}}})
    carried_out(simulation, edited)
    assert (edited.status, Configuration.get(id_).values) == (200, {"most": 20, "mode": "fast"})
    assert Instance.get(instance_id).waiting_parameters == {"mode"}
    replaced = member.send("PUT", f"/configurations/{id_}", {"configuration": {"name": "h", "values": {"most": 30}}})
    carried_out(simulation, replaced)
    assert (replaced.status, Configuration.get(id_).values, Configuration.get(id_).name) == (202, {"most": 30}, "h")
    assert (ledger.settings["most"], Instance.get(instance_id).waiting_parameters) == (30, None)


def test_an_edit_waits_for_nobody_and_changes_nothing_then(simulation: Simulation, instance_id: str) -> None:
    id_ = group(most=20)
    attach(simulation, instance_id, id_)
    member.post(f"/instances/{instance_id}/action", {"restart": {}})

    assert member.send("PATCH", f"/configurations/{id_}", {"configuration": {"values": {"most": 5}}}).status == 422
    assert Configuration.get(id_).values == {"most": 20}


def test_drift_is_shown(simulation: Simulation, instance_id: str, ledger: Ledger) -> None:
    attach(simulation, instance_id, group(most=20))
    assert reader.get(f"/instances/{instance_id}/configuration").body["instance"]["drift"] == []

    ledger.settings["most"] = 99  # by somebody's own hand

    seen = reader.get(f"/instances/{instance_id}/configuration").body["instance"]
    assert seen["configuration"] == {"mode": "safe", "most": 99}
    assert seen["drift"] == [{"name": "most", "wanted": 20, "actual": 99, "waits_for_restart": False}]


def test_an_instance_is_born_with_its_group_and_so_are_its_replicas(simulation: Simulation, ledger: Ledger) -> None:
    id_ = group(most=20, mode="fast")

    instance_id = created(simulation, configuration=id_)
    replica = member.post("/instances", {"instance": {"name": "copy", "replica_of": instance_id}}).body["instance"]

    assert (ledger.settings, shown(instance_id)["status"]) == ({"most": 20, "mode": "fast"}, "ACTIVE")
    assert Instance.get(replica["id"]).configuration_id == id_


def test_what_does_not_belong_together_is_refused(simulation: Simulation, instance_id: str) -> None:
    of_redis = {"configuration": {"name": "r", "values": {}, "datastore": {"type": "redis"}}}
    redis_id = member.post("/configurations", of_redis).body["configuration"]["id"]
    theirs = other.post("/configurations", of_redis).body["configuration"]["id"]
    attach(simulation, instance_id, group(most=20))

    for body, status in [
        ({"configuration": redis_id}, 400),
        ({"configuration": theirs}, 404),
        ({"configuration": group(most=30)}, 400),
        ({"configuration": "none"}, 404),
    ]:
        assert member.send("PUT", f"/instances/{instance_id}", {"instance": body}).status == status
    order = {"name": "x", "flavorRef": 1, "datastore": {"type": "ledger"}}
    assert member.post("/instances", {"instance": {**order, "configuration": redis_id}}).status == 400
    assert member.post("/instances", {"instance": {**order, "configuration": theirs}}).status == 404


def test_what_may_be_set_is_told(ledger: Ledger) -> None:
    listed = reader.get("/datastores/ledger/versions/1/parameters").body["configuration-parameters"]
    assert [(each["name"], each["type"], each["restart_required"]) for each in listed] == [
        ("most", "integer", False),
        ("mode", "string", True),
    ]
    version_id = reader.get("/datastores/ledger/versions/1").body["version"]["id"]
    one = reader.get(f"/datastores/versions/{version_id}/parameters/most").body
    assert (one["name"], one["min"], one["max"]) == ("most", 1, 100)
    assert reader.get("/datastores/ledger/versions/1/parameters/none").status == 404
    for datastore in ("mysql", "redis"):
        assert len(reader.get(f"/datastores/{datastore}").body["datastore"]["versions"]) == 1


def test_a_cluster_s_members_have_one_group(simulation: Simulation, ledger: Ledger) -> None:
    order = {"name": "c", "datastore": {"type": "ledger", "version": "1"}, "size": 2, "flavorRef": "1"}
    cluster = member.post("/clusters", {"cluster": order}).body["cluster"]
    simulation.carry_out(Job.get(cluster["job_id"]))
    id_ = group(most=20)

    body = {"configuration_attach": {"configuration_id": id_}}
    carried_out(simulation, member.post(f"/clusters/{cluster['id']}", body))
    assert len(reader.get(f"/configurations/{id_}/instances").body["instances"]) == 2
    carried_out(simulation, member.post(f"/clusters/{cluster['id']}", {"configuration_detach": {}}))
    assert reader.get(f"/configurations/{id_}/instances").body["instances"] == []


def test_the_console_gives_a_group_too(simulation: Simulation, instance_id: str, ledger: Ledger) -> None:
    cluster_id = Instance.get(instance_id).cluster_id
    job = Job(job_id="by-hand", workflow="configure_instances", cluster_id=cluster_id)

    simulation.carry_out(job, {"cluster_id": cluster_id, "configuration_id": group(most=20)})

    assert (fresh_job(job).status, ledger.settings["most"]) == (JobStatus.SUCCEEDED, 20)


def test_an_administrator_gives_no_project_another_s_group(simulation: Simulation, instance_id: str) -> None:
    order = {"configuration": {"name": "g", "values": {}, "datastore": {"type": "ledger"}}}
    theirs = other.post("/configurations", order).body["configuration"]["id"]

    answer = ApiCaller("admin").send("PUT", f"/instances/{instance_id}", {"instance": {"configuration": theirs}})

    assert (answer.status, Instance.get(instance_id).held_by) == (404, None)


def test_an_edit_passes_by_what_does_not_serve(simulation: Simulation, ledger: Ledger) -> None:
    id_ = group(most=20)
    stopped, serving = created(simulation, configuration=id_), created(simulation, configuration=id_)
    carried_out(simulation, member.post(f"/instances/{stopped}/action", {"stop": {}}))

    edited = member.send("PATCH", f"/configurations/{id_}", {"configuration": {"values": {"most": 5}}})

    job = carried_out(simulation, edited)
    assert (edited.status, job.instance_ids, job.status) == (200, [serving], JobStatus.SUCCEEDED)
    answer = member.send("PUT", f"/instances/{stopped}", {"instance": {"configuration": None}})
    assert (answer.status, Instance.get(stopped).held_by) == (422, None)


def test_other_words_of_a_group_concern_no_instance(simulation: Simulation, instance_id: str) -> None:
    id_ = group(most=20)
    attach(simulation, instance_id, id_)
    before = len(list(Job.scan()))

    body = {"configuration": {"description": "two\nlines", "values": {"most": 20}}}
    assert member.send("PATCH", f"/configurations/{id_}", body).status == 200
    assert member.send("PATCH", f"/configurations/{id_}", {"configuration": {"description": "\ud800"}}).status == 400

    assert (len(list(Job.scan())), Configuration.get(id_).description) == (before, "two\nlines")


def test_half_a_change_is_no_change(simulation: Simulation, instance_id: str) -> None:
    body = {"instance": {"name": "renamed", "configuration": "none"}}

    assert member.send("PUT", f"/instances/{instance_id}", body).status == 404
    assert Instance.get(instance_id).name == "db1"
