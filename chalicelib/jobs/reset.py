"""Reset: an administrator ends what an instance is stuck in, so that it can be deleted or acted on."""

from chalicelib import aws
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.jobs.endings import fail
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.models.turns import QUEUES, Turns


def reset(cluster_id: str, user: str) -> None:
    """Abort the cluster's jobs, those waiting for a turn too: what they moved is in ERROR, the lock is free.

    Without one nothing is stuck, and nothing changes. Raises Stale if a job ended at the same moment.
    """
    cluster = Cluster.find(cluster_id)
    if cluster is None:
        return
    turns = [Turns.on(instance_id, queue) for instance_id in cluster.instance_ids for queue in QUEUES]
    waiting = [job_id for each in turns for job_id in each.waiting]
    for job_id in {cluster.held_by, *(cluster.shared_by or ()), *waiting} - {None}:
        job = Job.find(str(job_id))
        if job is not None and job.status == JobStatus.RUNNING:
            fail(job, JobStatus.ABORTED, f"Reset by {user}.")
            _stop(job)


def _stop(job: Job) -> None:
    """Stop its execution, if it began: whatever still runs of it finds its job closed."""
    states = aws.client("stepfunctions")
    try:
        states.stop_execution(executionArn=job.execution or execution_arn(job), cause="reset")
    except states.exceptions.ExecutionDoesNotExist:
        return
