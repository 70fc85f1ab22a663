"""Reset: an administrator ends what a cluster is stuck in, so that it can be deleted or acted on."""

from chalicelib import aws
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.jobs.endings import fail
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus


def reset(cluster_id: str, user: str) -> None:
    """Abort the jobs that have a lock on the cluster: what they moved is in ERROR, the lock is free.

    Without one nothing is stuck, and nothing changes. Raises Stale if a job ended at the same moment.
    """
    cluster = Cluster.find(cluster_id)
    if cluster is None:
        return
    for job_id in {cluster.held_by, *(cluster.shared_by or ())} - {None}:
        job = Job.find(str(job_id))
        if job is not None and job.status == JobStatus.RUNNING:
            _stop(job)
            fail(job, JobStatus.ABORTED, f"Reset by {user}.")


def _stop(job: Job) -> None:
    """Stop its execution. One that never began will find its job closed."""
    states = aws.client("stepfunctions")
    try:
        states.stop_execution(executionArn=job.execution or execution_arn(job), cause="reset")
    except states.exceptions.ExecutionDoesNotExist:
        return
