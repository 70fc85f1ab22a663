"""Configuration groups while jobs bring them to instances: edited, deleted, refused by one of several."""

import json
import re
from typing import Any

import pytest

from chalicelib.errors import NotFound, Permanent
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models import record
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale
from chalicelib.models.status import JobStatus
from chalicelib.orders.configurations import delete_configuration, place_configuration
from chalicelib.steps.entry import run_step
from tests.api.client import ApiCaller
from tests.api.served import created
from tests.api.test_configurations import attach, carried_out, group
from tests.ledger import Ledger
from tests.orders_placed import MEMBER
from tests.policies import policy_of, statements_of
from tests.simulation.service import Simulation

member, reader = ApiCaller(), ApiCaller("reader")


def test_a_group_that_is_being_given_stays_as_it_is(simulation: Simulation, instance_id: str) -> None:
    id_ = group(most=20)
    begun = member.send("PUT", f"/instances/{instance_id}", {"instance": {"configuration": id_}})

    refused = member.delete(f"/configurations/{id_}")
    edited = member.send("PATCH", f"/configurations/{id_}", {"configuration": {"values": {"most": 5}}})
    assert (refused.status, "being attached" in refused.body["badRequest"]["message"], edited.status) == (
        400,
        True,
        422,
    )
    assert member.send("PATCH", f"/configurations/{id_}", {"configuration": {"description": "x"}}).status == 200
    assert carried_out(simulation, begun).status == JobStatus.SUCCEEDED

    assert (Configuration.get(id_).brought_by, Configuration.get(id_).values) == (None, {"most": 20})
    assert member.delete(f"/configurations/{id_}").status == 400
    attach(simulation, instance_id, None)
    assert member.delete(f"/configurations/{id_}").status == 202


def test_a_group_that_could_not_be_given_can_be_deleted(simulation: Simulation, instance_id: str) -> None:
    id_ = group(most=13)

    assert attach(simulation, instance_id, id_).status == JobStatus.FAILED

    assert member.delete(f"/configurations/{id_}").status == 202
    assert Configuration.find(id_) is None


def test_of_a_delete_and_an_attach_at_once_one_is_refused(simulation: Simulation, instance_id: str) -> None:
    cluster_id = Instance.get(instance_id).cluster_id
    for_delete, for_attach = Configuration.get(group(most=20)), Configuration.get(group(most=30))

    place_configuration(for_delete, cluster_id, [instance_id], MEMBER)
    with pytest.raises(Stale):
        delete_configuration(for_delete)
    simulation.carry_out(next(each for each in Job.scan() if each.workflow == "configure_instances"))
    attach(simulation, instance_id, None)
    delete_configuration(Configuration.get(for_attach.configuration_id))
    with pytest.raises(NotFound):
        place_configuration(for_attach, cluster_id, [instance_id], MEMBER)

    assert Configuration.find(for_delete.configuration_id) is not None
    assert Cluster.get(cluster_id).held_by is None


def test_two_jobs_bring_a_group_and_each_lets_it_go(simulation: Simulation, ledger: Ledger) -> None:
    id_, ids = group(most=20), [created(simulation), created(simulation)]
    jobs = [
        place_configuration(Configuration.get(id_), Instance.get(each).cluster_id, [each], MEMBER).job for each in ids
    ]

    assert Configuration.get(id_).brought_by == {each.job_id for each in jobs}
    simulation.carry_out(jobs[0])
    assert Configuration.get(id_).brought_by == {jobs[1].job_id}
    simulation.carry_out(jobs[1])
    assert Configuration.get(id_).brought_by is None


def test_when_a_member_refuses_the_records_say_who_has_the_group(simulation: Simulation, ledger: Ledger) -> None:
    order = {"name": "c", "datastore": {"type": "ledger", "version": "1"}, "size": 3, "flavorRef": "1"}
    cluster = member.post("/clusters", {"cluster": order}).body["cluster"]
    simulation.carry_out(Job.get(cluster["job_id"]))
    id_ = group(most=14)

    attaching = member.post(f"/clusters/{cluster['id']}", {"configuration_attach": {"configuration_id": id_}})
    job = carried_out(simulation, attaching)

    first, *others = Cluster.get(cluster["id"]).instances()
    assert (job.status, first.configuration_id) == (JobStatus.FAILED, id_)
    assert [each.configuration_id for each in others] == [None, None]
    assert others[0].name in str(job.message)
    assert (Cluster.get(cluster["id"]).status, Cluster.get(cluster["id"]).held_by) == ("ACTIVE", None)
    assert [each["id"] for each in reader.get(f"/configurations/{id_}/instances").body["instances"]] == [
        first.instance_id
    ]


def test_a_redriven_job_takes_its_group_along_and_its_function_may(
    simulation: Simulation, instance_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = group(most=13)
    job = attach(simulation, instance_id, id_)
    assert job.status == JobStatus.FAILED
    connection, asked = record._connection(), list[dict[str, Any]]()
    write = connection.transact_write_items

    def noted(**items: Any) -> Any:
        asked.append(items)
        return write(**items)

    monkeypatch.setattr(connection, "transact_write_items", noted)
    execution = {"Id": execution_arn(job), "Name": job.job_id, "RedriveCount": 1}
    baton = {"cluster_id": job.cluster_id, "instance_id": instance_id}

    with pytest.raises(Permanent):  # for the same reason as before
        run_step({"step": "ApplyParameters", "execution": execution, "baton": baton}, "guest")

    assert Configuration.get(id_).brought_by == {job.job_id}
    updated = {f"dynamodb:UpdateItem {each['TableName'].removeprefix('test-')}" for each in asked[0]["update_items"]}
    allowed = {
        f"{action} {table}"
        for each in statements_of(policy_of("guest"))
        for action in each["Action"]
        for table in re.findall(r"StackName}-(\w+)", json.dumps(each["Resource"]))
    }
    assert updated <= allowed
