"""Jobs: our extension of the API."""

from collections.abc import Sequence

from chalicelib.api.views.links import View, when
from chalicelib.jobs.endings import reached
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job, Reached
from chalicelib.models.status import JobStatus


def job_view(job: Job, instances: Sequence[Instance] = ()) -> View:
    """Return a job; with its instances while it runs, since their steps are then on their records."""
    progress = list(job.reached) or [reached(job, each) for each in instances]
    view: View = {
        "id": job.job_id,
        "workflow": job.workflow,
        "cluster_id": job.cluster_id,
        "status": job.status,
        "step": min(progress, key=lambda each: each.percent).step if progress else None,
        "percent": 100 if job.status == JobStatus.SUCCEEDED else mean([int(each.percent) for each in progress]),
        "instances": [progress_view(each) for each in progress],
        "requested_by": job.requested_by,
        "message": job.message,
        "started": when(job.started_at),
        "finished": when(job.finished_at),
        "execution": job.execution,
    }
    return view


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
