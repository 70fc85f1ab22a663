"""Answers about jobs: those that go on their way, and those that take a moment and are waited for."""

import time

from chalice.app import Response

from chalicelib import config
from chalicelib.errors import Unprocessable
from chalicelib.jobs.beginnings import launch
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus

JOB_HEADER = "X-Dtrove-Job-Id"
PAUSE_SECONDS = 0.1


def accepted(job: Job) -> Response:
    """Launch the job and answer 202. The body is empty, as Trove's clients expect it; a header names the job."""
    launch(job)
    return Response("", status_code=202, headers={JOB_HEADER: job.job_id})


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
