"""The sweep: whatever event was lost, jobs end and locks are freed."""

from datetime import timedelta

import boto3
import pytest

from chalicelib.jobs import beginnings
from chalicelib.jobs.sweep import reason_of, settle, sweep
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.status import JobStatus, Status
from tests.api.executions import executions
from tests.orders_placed import fresh, fresh_job, ordered

pytestmark = pytest.mark.usefixtures("catalog")


def aged(job: Job, age: timedelta) -> Job:
    job = fresh_job(job)
    job.started_at = now() - age
    job.save()
    return job


def stop(job: Job) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=beginnings.execution_arn(job))


def test_a_young_job_is_left_alone() -> None:
    ordered(1)

    assert sweep() == []
    assert executions() == []


def test_a_job_that_was_recorded_and_never_began_is_launched() -> None:
    job = aged(ordered(1).job, timedelta(minutes=2))

    assert sweep() == [f"{job.job_id} launched: it was recorded and had not begun"]
    assert [name for _, name, _ in executions()] == [job.job_id]
    assert sweep() == []


def test_one_that_could_not_be_launched_in_its_time_fails() -> None:
    placed = ordered(1)
    aged(placed.job, timedelta(hours=2))

    sweep()

    assert fresh_job(placed.job).message == "Its execution could not be started."
    assert fresh(placed.cluster).status == Status.ERROR


def test_an_aborted_execution_closes_its_job_and_frees_the_lock() -> None:
    placed = ordered(1)
    beginnings.launch(placed.job)
    stop(placed.job)
    aged(placed.job, timedelta(minutes=2))

    sweep()

    assert fresh_job(placed.job).status == JobStatus.ABORTED
    assert (fresh(placed.cluster).held_by, fresh(placed.cluster).status) == (None, Status.ERROR)
    assert "aborted by an operator" in fresh(placed.cluster).message


def test_a_running_execution_is_left_alone_however_late() -> None:
    placed = ordered(1)
    beginnings.launch(placed.job)
    aged(placed.job, timedelta(days=2))

    assert sweep() == []


def test_settling_twice_changes_nothing_more() -> None:
    placed = ordered(1)
    beginnings.launch(placed.job)
    stop(placed.job)
    settle(fresh_job(placed.job))
    before = fresh(placed.cluster).revision

    assert sweep() == []
    assert fresh(placed.cluster).revision == before


def test_launching_twice_is_one_execution() -> None:
    placed = ordered(1)

    beginnings.launch(placed.job)
    beginnings.launch(placed.job)

    assert len(executions()) == 1


@pytest.mark.parametrize(
    ("error", "cause", "status", "reason"),
    [
        ("Permanent", '{"errorMessage": "no valid host", "errorType": "Permanent"}', "FAILED", "no valid host"),
        (
            "NotReady",
            '{"errorMessage": "It is BUILD.", "errorType": "NotReady"}',
            "FAILED",
            "Waited for in vain: It is BUILD.",
        ),
        ("States.Runtime", "bad path", "FAILED", "bad path"),
        ("X", None, "FAILED", "X"),
        (None, None, "FAILED", "No cause was given."),
        (None, None, "ABORTED", "Its execution was aborted by an operator."),
        ("States.Timeout", None, "TIMED_OUT", "It did not finish within its workflow's time limit."),
        ("X", "[1]", "FAILED", "[1]"),
    ],
)
def test_the_reason_is_what_the_step_said(error: str | None, cause: str | None, status: str, reason: str) -> None:
    assert reason_of(error, cause, JobStatus(status)) == reason


def test_a_job_that_cannot_be_settled_stops_no_other() -> None:
    odd, lost = ordered(1).job, ordered(1)
    odd = aged(odd, timedelta(minutes=3))
    odd.workflow = "of_another_release"
    odd.save()
    beginnings.launch(lost.job)
    stop(lost.job)
    aged(lost.job, timedelta(minutes=2))

    lines = sweep()

    assert len(lines) == 2
    assert any("not settled" in line for line in lines)
    assert fresh_job(lost.job).status == JobStatus.ABORTED
