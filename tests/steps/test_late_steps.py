"""Steps that finish late: after another try of them, or after their job has ended. They change nothing of the job."""

import pytest

from chalicelib.errors import NotReady, Permanent, Transient
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models.job import Job
from chalicelib.models.record import Stale
from chalicelib.models.status import JobStatus
from chalicelib.orders.placing import Placed
from chalicelib.steps.entry import run_step
from chalicelib.steps.tasks import run_commands
from tests.orders_placed import change, fresh, fresh_job, ordered
from tests.simulation.service import Simulation
from tests.steps.calls import event, first

pytestmark = pytest.mark.usefixtures("catalog")


@pytest.fixture
def performing(simulation: Simulation) -> Placed:
    """An administrator's commands, begun on the guest."""
    placed = ordered(1)
    simulation.carry_out(placed.job)
    performing = change("perform", fresh(placed.cluster), placed.cluster.instance_ids[0])
    performing.job.title, performing.job.commands = "look", ["uptime"]
    performing.job.save()
    with pytest.raises(NotReady):
        run_step(event(performing, "RunCommands"), "guest")
    return performing


def test_commands_that_end_after_their_job_change_nothing_of_it(simulation: Simulation, performing: Placed) -> None:
    ending = fresh_job(performing.job)
    simulation.trip = lambda point: endings.fail(ending, JobStatus.ABORTED, "x") if "output" in point else None

    with pytest.raises(Transient):
        run_step(event(performing, "RunCommands"), "guest")
    with pytest.raises(Permanent, match="has ended"):
        run_step(event(performing, "RunCommands"), "guest")

    assert (fresh_job(performing.job).status, fresh_job(performing.job).output) == (JobStatus.ABORTED, None)


def test_commands_keep_no_output_in_a_job_that_they_find_ended(simulation: Simulation, performing: Placed) -> None:
    instance = first(performing)
    endings.fail(fresh_job(performing.job), JobStatus.ABORTED, "x")

    with pytest.raises(Stale):
        run_commands(
            fresh_job(performing.job),
            performing.cluster,
            instance,
            simulation.guests.connect(instance, str(instance.key_id)),
        )

    assert fresh_job(performing.job).output is None


def test_another_try_that_kept_the_output_first_fails_nothing(simulation: Simulation, performing: Placed) -> None:
    other = fresh_job(performing.job)
    other.output = "kept by another try"

    def keep(point: str) -> None:
        if "output" in point:
            other.save()

    simulation.trip = keep
    with pytest.raises(Transient, match="changed meanwhile"):
        run_step(event(performing, "RunCommands"), "guest")

    simulation.trip = lambda point: None
    run_step(event(performing, "RunCommands"), "guest")

    assert str(fresh_job(performing.job).output).startswith("output of dtrove-perform")


def test_a_job_opened_by_two_tries_at_once_is_open(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = ordered(1)
    late = fresh_job(placed.job)
    run_step(event(placed, "OpenJob"), "records")

    monkeypatch.setattr(Job, "find", lambda job_id: late)
    with pytest.raises(Transient, match="changed meanwhile"):
        run_step(event(placed, "OpenJob"), "records")
    monkeypatch.undo()

    assert run_step(event(placed, "OpenJob"), "records")["instance_ids"] == placed.cluster.instance_ids
    assert fresh_job(placed.job).execution == execution_arn(placed.job)


def test_a_job_that_ends_while_it_opens_stays_ended(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    placed = ordered(1)
    late = fresh_job(placed.job)
    endings.fail(fresh_job(placed.job), JobStatus.ABORTED, "x")

    monkeypatch.setattr(Job, "find", lambda job_id: late)
    with pytest.raises(Transient, match="changed meanwhile"):
        run_step(event(placed, "OpenJob"), "records")
    monkeypatch.undo()
    with pytest.raises(Permanent, match="has ended"):
        run_step(event(placed, "OpenJob"), "records")

    assert (fresh_job(placed.job).status, fresh_job(placed.job).execution) == (JobStatus.ABORTED, None)
