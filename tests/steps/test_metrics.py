"""Metrics: each that there is comes about by what the code does, as CloudWatch would read it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import app
from chalicelib import aws, config, metrics
from chalicelib.errors import Permanent
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.schedule import WATCHED, Schedule
from chalicelib.providers.memory import MemoryProvider
from chalicelib.steps import world
from tests.api.client import ApiCaller
from tests.orders_placed import fresh, ordered
from tests.simulation.service import Simulation
from tests.ssh.connecting import PATIENT, instance_of
from tests.ssh.scripted_sshd import ScriptedSshd
from tests.written import Written, written

pytestmark = pytest.mark.usefixtures("catalog")


class Bus:
    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        return {"Entries": [{}] * len(Entries)}


@pytest.fixture
def service(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    real = aws.client
    monkeypatch.setattr(aws, "client", lambda name, **more: Bus() if name == "events" else real(name, **more))
    world.current().log = world.write_log
    return simulation


@pytest.fixture
def lines() -> Iterator[Written]:
    with written() as lines:
        yield lines


def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect to a guest in earnest."""
    key_id = ordered(1).cluster.key_ids[0]
    with ScriptedSshd() as sshd:
        monkeypatch.setattr(config, "current", lambda: replace(PATIENT, dtrove_ssh_port=sshd.port))
        with closing(world.connect(instance_of(sshd), key_id)):
            pass
    monkeypatch.undo()


def failed(service: Simulation) -> None:
    """A job that fails by a defect, told from the stream as it ends."""

    def broken(address: str, command: str) -> None:
        raise KeyError

    service.guests.fail = broken
    placed = ordered(1)
    service.carry_out(placed.job)
    job = Job.get(placed.job.job_id).serialize()
    images = {"OldImage": job | {"status": {"S": "RUNNING"}}, "NewImage": job}
    app.announce({"Records": [{"dynamodb": {"ApproximateCreationDateTime": 1.0, **images}}]}, None)


def overdue(service: Simulation) -> None:
    """A schedule whose time passed hours ago, and whose cluster is not to be had."""
    instance = ordered(1).instances[0]
    at = now() - timedelta(hours=5)
    Schedule(
        schedule_id="nightly",
        instance_id=instance.instance_id,
        cron="0 2 * * *",
        window_minutes=0,
        retention={"count": 7},
        watch=WATCHED,
        next_at=at,
        look_at=at,
        project_id=instance.project_id,
        cluster_id=instance.cluster_id,
        name="nightly",
    ).add()
    app.scheduler({}, None)


def orphaned(service: Simulation) -> None:
    """More old servers than the sweep would remove, and nobody's."""
    service.guests.fail = lambda address, command: None
    for _ in range(2):
        placed = ordered(3)
        service.carry_out(placed.job)
        for each in fresh(placed.cluster).instances():
            each.delete(add_version_condition=False)
    service.pass_time(hours=2)
    app.sweep_cloud({}, None)


def test_every_metric_comes_about_with_its_unit_and_dimensions(
    service: Simulation, lines: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApiCaller().get("/clusters")
    failed(service)
    orphaned(service)
    ordered(1)
    service.pass_time(minutes=31)
    app.sweep({}, None)
    connected(monkeypatch)
    overdue(service)

    assert lines.counted == {(each.name, each.unit, ("deployment", *each.dimensions)) for each in metrics.ALL}


def test_dimensions_are_words_of_which_there_are_few(service: Simulation, lines: Written) -> None:
    failed(service)
    orphaned(service)

    ids = {each.cluster_id for each in Cluster.scan()} | {each.job_id for each in Job.scan()}
    values = {line[key] for line in lines.lines for metric in metrics.ALL for key in metric.dimensions if key in line}
    assert values
    assert not values & ids


def test_orphans_are_counted_and_so_are_those_that_were_too_many(service: Simulation, lines: Written) -> None:
    orphaned(service)

    assert (lines.values("OrphansFound"), lines.values("OrphansOverLimit")) == ([6], [6])


def test_a_cloud_without_orphans_counts_nothing(service: Simulation, lines: Written) -> None:
    service.carry_out(ordered(1).job)

    app.sweep_cloud({}, None)

    assert lines.values("OrphansFound") == []


def test_the_oldest_open_job_is_told_and_none_while_there_is_none(service: Simulation, lines: Written) -> None:
    app.sweep({}, None)
    assert lines.values("OldestJobSeconds") == []

    first = ordered(1)
    service.pass_time(minutes=20)
    ordered(1)
    service.pass_time(minutes=10)
    app.sweep({}, None)

    (age,) = lines.values("OldestJobSeconds")
    assert timedelta(minutes=30) <= timedelta(seconds=age) < timedelta(minutes=31)
    assert lines.named("oldest job")[0]["job_id"] == first.job.job_id


def test_what_a_job_waited_for_its_first_step_is_counted_once(service: Simulation, lines: Written) -> None:
    placed = ordered(1)
    service.pass_time(seconds=90)

    service.carry_out(placed.job)
    service.carry_out(placed.job)

    (seconds,) = lines.values("QueueSeconds", workflow="create_cluster")
    assert 90 <= seconds < 180


def test_a_provider_that_fails_raises_so_that_lambda_counts_an_error(service: Simulation) -> None:
    class Down(MemoryProvider):
        def flavors(self, datastore: str | None = None) -> Any:
            raise Permanent("the cloud is down")

    world.current().provider = lambda: Down(service.cloud)

    with pytest.raises(Permanent, match="the cloud is down"):
        app.sweep_cloud({}, None)
