"""Answers about jobs: those that go on their way, and those that take a moment and are waited for."""

import time
from collections.abc import Mapping
from typing import Any

from chalice.app import Response

from chalicelib import config
from chalicelib.api.request import Request
from chalicelib.errors import Unprocessable
from chalicelib.jobs.beginnings import launch
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.orders.placing import job_before

JOB_HEADER = "X-Dtrove-Job-Id"
PAUSE_SECONDS = 0.1


def accepted(job: Job) -> Response:
    """Launch the job and answer 202. The body is empty, as Trove's clients expect it; a header names the job."""
    launch(job)
    return Response("", status_code=202, headers={JOB_HEADER: job.job_id})


def told(job: Job, body: Mapping[str, Any], status_code: int = 200) -> Response:
    """Launch the job and answer with what it is about; a header names the job."""
    launch(job)
    return Response(body, status_code=status_code, headers={JOB_HEADER: job.job_id})


def done_before(request: Request) -> Response | None:
    """Answer, if an attempt before this one had the request carried out: what it asks for is there by now."""
    job = job_before(request.attempt)
    return done(job) if job else None


def done(job: Job) -> Response:
    """Launch a job of a second or so, and answer when it has ended, or after some seconds.

    Whoever asks for a database and then for its user finds it there. Raises Unprocessable with the reason it failed.
    """
    answer = accepted(job)
    until = time.monotonic() + config.current().dtrove_answer_patience_seconds
    while time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
        now = Job.find(job.job_id)
        if now is None or now.status == JobStatus.SUCCEEDED:
            break
        if now.status != JobStatus.RUNNING:
            raise Unprocessable(str(now.message))
    return answer
