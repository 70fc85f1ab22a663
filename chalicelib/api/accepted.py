"""202: the job goes on its way. The body is empty, as Trove's clients expect it; a header names the job."""

from chalice.app import Response

from chalicelib.jobs.beginnings import launch
from chalicelib.models.job import Job

JOB_HEADER = "X-Dtrove-Job-Id"


def accepted(job: Job) -> Response:
    """Launch the job and answer."""
    launch(job)
    return Response("", status_code=202, headers={JOB_HEADER: job.job_id})
