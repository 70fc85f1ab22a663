"""The sweep: closes jobs whose end nobody heard of, starts those that never began. By state, not by event."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta

from chalicelib import aws, journal
from chalicelib.jobs.beginnings import execution_arn, launch
from chalicelib.jobs.endings import fail
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.metrics import DEFECTS, JOB_AGE, counted
from chalicelib.models.job import OPEN, Job
from chalicelib.models.record import Stale, now
from chalicelib.models.status import JobStatus

GRACE = timedelta(seconds=60)  # a job this young may simply not have been launched yet
SLACK = timedelta(minutes=5)  # past its time limit before we call it lost


def sweep() -> list[str]:
    """Settle every open job older than a minute; return one line for each that needed it. One that fails stops none."""
    jobs = list(_open_jobs())
    if jobs:
        oldest = jobs[0]
        age = (now() - oldest.started_at).total_seconds()
        journal.tell("oldest job", job_id=oldest.job_id, cluster_id=oldest.cluster_id, **counted({JOB_AGE: age}))
    return [line for job in jobs if (line := _tried(job))]


def _tried(job: Job) -> str | None:
    try:
        said = settle(job)
    except Stale:  # another was first
        said = f"{job.job_id} not settled: it changed meanwhile"
    except Exception as error:  # the next sweep looks again
        journal.tell_defect("not settled", error, job_id=job.job_id, **counted({DEFECTS: 1}))
        said = f"{job.job_id} not settled: {type(error).__name__}"
    if said:
        journal.tell("swept", logging.WARNING, job_id=job.job_id, cluster_id=job.cluster_id, said=said)
    return said


def _open_jobs() -> Iterator[Job]:
    for listed in Job.open_jobs.query(OPEN, Job.started_at < now() - GRACE):
        job = Job.find(listed.job_id)  # the index lags behind the table
        if job is not None and job.status == JobStatus.RUNNING:
            yield job


def settle(job: Job) -> str | None:
    """Bring the job to what its execution says of it; None if all is well. Raises Stale if another was first."""
    status, reason = look_up(job)
    age = now() - job.started_at
    limit = timedelta(seconds=WORKFLOWS[job.workflow].timeout_seconds) + SLACK
    if status is None and age < limit:
        launch(job)
        return f"{job.job_id} launched: it was recorded and had not begun"
    if status is JobStatus.RUNNING:
        return None
    if status is None:
        reason = "Its execution could not be started."
    elif status is JobStatus.SUCCEEDED:
        reason = "Its execution ended without closing it."
    ending = JobStatus.FAILED if status in {None, JobStatus.SUCCEEDED} else status
    fail(job, ending, reason)
    return f"{job.job_id} closed: {ending}: {reason}"


def look_up(job: Job) -> tuple[JobStatus | None, str]:
    """Ask Step Functions how the job's execution is; None if there is none."""
    states = aws.client("stepfunctions")
    try:
        answer = states.describe_execution(executionArn=job.execution or execution_arn(job))
    except states.exceptions.ExecutionDoesNotExist:
        return None, ""
    status = JobStatus("FAILED" if answer["status"] == "PENDING_REDRIVE" else answer["status"])
    return status, reason_of(answer.get("error"), answer.get("cause"), status)


def reason_of(error: str | None, cause: str | None, status: JobStatus) -> str:
    """Return what a person can act on: the step's own message if the cause holds one."""
    if status is JobStatus.ABORTED and not cause:
        return "Its execution was aborted by an operator."
    if status is JobStatus.TIMED_OUT:
        return "It did not finish within its workflow's time limit."
    try:
        message = json.loads(cause or "")["errorMessage"]
    except (ValueError, KeyError, TypeError):
        message = cause or error or "No cause was given."
    waited = "Waited for in vain: " if error == "NotReady" else ""
    return f"{waited}{message}"[:1_000]
