"""Jobs: our extension of the API."""

from collections.abc import Sequence

from chalicelib.api.views.links import View, when
from chalicelib.jobs.endings import reached
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job, Reached
from chalicelib.models.status import JobStatus


def job_view(job: Job, instances: Sequence[Instance] | None = None) -> View:
    """Return a job. How far a running one is stands on its instances' records: without them nothing is said of it."""
    view: View = {
        "id": job.job_id,
        "workflow": job.workflow,
        "cluster_id": job.cluster_id,
        "status": job.status,
        "requested_by": job.requested_by,
        "message": job.message,
        "started": when(job.started_at),
        "finished": when(job.finished_at),
        "execution": job.execution,
    }
    if job.status == JobStatus.RUNNING:
        return view if instances is None else view | _progress(job, [reached(job, each) for each in instances])
    return view | _progress(job, list(job.reached))


def _progress(job: Job, each_reached: Sequence[Reached]) -> View:
    least = min(each_reached, key=lambda each: each.percent, default=None)
    percent = mean([int(each.percent) for each in each_reached])
    return {
        "step": least.step if least else None,
        "percent": 100 if job.status == JobStatus.SUCCEEDED else percent,
        "instances": [progress_view(each) for each in each_reached],
    }


def progress_view(reached: Reached) -> View:
    return {
        "id": reached.instance_id,
        "name": reached.name,
        "step": reached.step,
        "percent": int(reached.percent),
        "message": reached.message,
    }


def mean(values: Sequence[int]) -> int:
    return sum(values) // len(values) if values else 0
