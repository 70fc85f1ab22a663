"""What is told of a change, and that the document tells the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app import announce
from chalicelib import aws
from chalicelib.errors import Transient
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from tests.orders_placed import change, fresh, ordered
from tests.simulation.service import Simulation
from tests.written import written

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
pytestmark = pytest.mark.usefixtures("catalog")


class Bus:
    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.refuses = 0

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        assert len(Entries) <= 10
        if self.refuses:
            self.refuses -= 1
            return {"Entries": [{"EventId": "1"}] * (len(Entries) - 1) + [{"ErrorCode": "ThrottlingException"}]}
        self.entries += Entries
        return {"Entries": [{"EventId": "1"}] * len(Entries)}


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    bus, real = Bus(), aws.client
    monkeypatch.setattr(aws, "client", lambda name, **more: bus if name == "events" else real(name, **more))
    return bus


def image(record: Cluster | Job) -> dict[str, Any]:
    item: dict[str, Any] = record.serialize()
    return item


def changed(before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    images = {"OldImage": before, "NewImage": after}
    told = {name: each for name, each in images.items() if each}
    return {"dynamodb": {"ApproximateCreationDateTime": 1795558456.0, **told}}


def details(bus: Bus) -> list[dict[str, Any]]:
    return [json.loads(each["Detail"]) for each in bus.entries]


def test_what_changes_no_status_is_not_told(bus: Bus) -> None:
    cluster, job = image(ordered(1).cluster), image(Job.get(next(iter(Job.scan())).job_id))

    assert announce({"Records": [changed(cluster, cluster), changed(None, job), changed(job, None)]}, None) == 0
    assert bus.entries == []


def test_events_have_the_fields_that_the_document_shows(bus: Bus, simulation: Simulation) -> None:
    placed = ordered(2)
    born = image(Cluster.get(placed.cluster.cluster_id)), image(Job.get(placed.job.job_id))
    simulation.carry_out(placed.job)
    made = image(Cluster.get(placed.cluster.cluster_id)), image(Job.get(placed.job.job_id))

    announce({"Records": [changed(*each) for each in zip(born, made, strict=True)]}, None)

    examples = [each.partition("}}")[0] for each in DOCUMENT.read_text().split('"detail": {')[1:3]]
    shown = [set(re.findall(r'"(\w+)":', example)) for example in examples]
    assert [set(each) for each in details(bus)] == shown
    assert [each["DetailType"] for each in bus.entries] == ["DTrove Cluster State Change", "DTrove Job Ended"]
    cluster, job = details(bus)
    assert (cluster["previous_status"], cluster["status"], cluster["revision"]) == ("CREATING", "ACTIVE", 2)
    assert cluster["event_id"] == f"{placed.cluster.cluster_id}/2"
    assert job["finished_at"] >= job["started_at"] >= "2"


def test_the_end_of_a_cluster_is_later_than_all_that_was_told_of_it(bus: Bus, simulation: Simulation) -> None:
    placed = ordered(1)
    simulation.carry_out(placed.job)
    deleting = change("delete_cluster", fresh(placed.cluster)).cluster
    last = image(fresh(deleting))

    announce({"Records": [changed(last, None)]}, None)

    (told,) = details(bus)
    assert (told["previous_status"], told["status"], told["message"]) == ("DELETING", "DELETED", None)
    assert told["revision"] == int(last["revision"]["N"]) + 1


def test_what_the_bus_did_not_take_is_brought_again(bus: Bus) -> None:
    records = {"Records": [changed(None, image(ordered(1).cluster)) for _ in range(12)]}
    bus.refuses = 1

    with pytest.raises(Transient, match="ThrottlingException"):
        announce(records, None)
    assert announce(records, None) == len(bus.entries) == 12


@pytest.mark.parametrize(
    ("status", "failed"), [("FAILED", [1]), ("TIMED_OUT", [1]), ("ABORTED", []), ("SUCCEEDED", [])]
)
def test_jobs_are_counted_as_they_are_told(bus: Bus, simulation: Simulation, status: str, failed: list[int]) -> None:
    placed = ordered(1)
    simulation.carry_out(placed.job)
    job = image(Job.get(placed.job.job_id))
    before, after = job | {"status": {"S": "RUNNING"}}, job | {"status": {"S": status}}

    with written() as lines:
        announce({"Records": [changed(before, after)]}, None)

    assert lines.values("Jobs", workflow="create_cluster", outcome=status) == [1]
    assert lines.values("JobsFailed") == failed
    (seconds,) = lines.values("JobSeconds", workflow="create_cluster")
    assert seconds >= 0
    assert lines.named("told")[0]["job_id"] == placed.job.job_id
