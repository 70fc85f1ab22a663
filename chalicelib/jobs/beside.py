"""Jobs that run beside others: those that share the lock, and those that take none and wait for their turn."""

from pynamodb.transactions import TransactWrite

from chalicelib.errors import NotReady
from chalicelib.jobs.workflows import WORKFLOWS, Lock, Workflow
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.turns import Turns, queue_up, step_out


def is_beside(job: Job) -> bool:
    return WORKFLOWS[job.workflow].lock in {Lock.SHARED, Lock.NONE}


def join(batch: TransactWrite, job: Job, cluster: Cluster) -> None:
    if WORKFLOWS[job.workflow].lock is Lock.SHARED:
        cluster.shared_by = {*(cluster.shared_by or ()), job.job_id}
        batch.save(cluster)
        return
    for instance_id in job.instance_ids:
        queue_up(batch, instance_id, job.job_id, WORKFLOWS[job.workflow].queue)


def leave(batch: TransactWrite, job: Job, cluster: Cluster | None) -> None:
    """Put into the batch that the job is done here; it may have left, and the cluster may be gone."""
    if cluster is not None and job.job_id in (cluster.shared_by or ()):
        cluster.shared_by = set(cluster.shared_by or ()) - {job.job_id} or None
        batch.save(cluster)
    if WORKFLOWS[job.workflow].lock is Lock.NONE:
        for instance_id in job.instance_ids:
            step_out(batch, instance_id, job.job_id, WORKFLOWS[job.workflow].queue)


def may_act(job_id: str, workflow: Workflow, cluster: Cluster, instance: Instance) -> bool:
    """Tell whether the job of the workflow may act on the instance. Raises NotReady before its turn."""
    if workflow.lock is not Lock.NONE:
        return job_id in {instance.held_by, *(cluster.shared_by or ())}
    waiting = Turns.on(instance.instance_id, workflow.queue).waiting
    if job_id in waiting[1:]:
        raise NotReady(f"Job {waiting[0]} acts on {instance.name} first.")
    return job_id in waiting
