"""How a job ends: statuses, the job and the lock change in one transaction, so whoever sees ACTIVE can act."""

from collections.abc import Sequence
from datetime import timedelta

from pynamodb.transactions import TransactWrite

from chalicelib import config
from chalicelib.errors import Permanent
from chalicelib.jobs.backing_up import let_backups_go, note_end
from chalicelib.jobs.beside import is_beside, leave
from chalicelib.jobs.bringing import let_go
from chalicelib.jobs.quota import give_back, give_back_growth
from chalicelib.jobs.workflows import WORKFLOWS, Lock
from chalicelib.models.cluster import Cluster, primary_of
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job, Reached
from chalicelib.models.key import Key
from chalicelib.models.record import now, transaction
from chalicelib.models.shelved import Shelved
from chalicelib.models.status import AT_REST, JobStatus, Status

ENABLE_ROOT = "enable_root"  # the title of the job that lets root in


def succeed(job: Job) -> None:
    """Close the job, set its instances to rest, free the lock. Raises Stale, Permanent."""
    if is_beside(job):
        _end_beside(job, JobStatus.SUCCEEDED)
        return
    cluster, instances = held(job)
    workflow = WORKFLOWS[job.workflow]
    for each in instances:
        if workflow.instances_during and each.instance_id in job.instance_ids:
            each.status, each.message = workflow.after, None
            each.joined_at = each.joined_at or now()
    if workflow.during:
        settle_status(cluster, instances)
    cluster.first_accounts = None
    with transaction() as batch:
        _close(batch, job, JobStatus.SUCCEEDED, instances)
        _free(batch, job, cluster, instances)


def fail(job: Job, status: JobStatus, reason: str) -> None:
    """Close the job with a reason a person can act on; what was moving is in ERROR, the lock is free. Raises Stale."""
    if is_beside(job):
        _end_beside(job, status, reason)
        return
    cluster = Cluster.find(job.cluster_id)
    instances = cluster.instances() if cluster else []
    with transaction() as batch:
        _close(batch, job, status, instances, reason)
        if cluster is None or cluster.held_by != job.job_id:
            return
        workflow = WORKFLOWS[job.workflow]
        _stop_moving(instances, reason)
        if workflow.during:
            cluster.status, cluster.message = status_of(instances), reason
        _free(batch, job, cluster, instances)


def preempt(batch: TransactWrite, by: Job, cluster: Cluster, instances: Sequence[Instance]) -> None:
    """Put into the batch the end of every job that has a lock on the cluster: `by` takes over."""
    reason = f"Job {by.job_id} ({by.workflow}) took over."
    _stop_moving(instances, reason)
    for job_id in {cluster.held_by, *(cluster.shared_by or ())} - {None}:
        job = Job.find(str(job_id))
        if job is not None and job.status == JobStatus.RUNNING:
            _close(batch, job, JobStatus.ABORTED, instances, reason)
            note_end(job, instances)


def forget_cluster(job: Job) -> None:
    """Delete the records of a cluster whose servers are gone, give back its quota, close the job.

    Raises Stale, Permanent.
    """
    cluster, instances = held(job)
    with transaction() as batch:
        _close(batch, job, JobStatus.SUCCEEDED, instances)
        _forget(batch, job, instances)
        for key_id in cluster.key_ids:
            batch.delete(Key(key_id=key_id), add_version_condition=False)
        batch.delete(cluster, condition=Cluster.held_by == job.job_id)
        give_back(batch, job.project_id, instances)


def forget_instances(job: Job) -> None:
    """Delete the records of the job's instances, whose servers are gone, and close the job. Raises Stale, Permanent."""
    cluster, instances = held(job)
    gone = [each for each in instances if each.instance_id in job.instance_ids]
    stay = [each for each in instances if each.instance_id not in job.instance_ids]
    cluster.members = [member for member in cluster.members if member.instance_id not in job.instance_ids]
    settle_status(cluster, stay)
    with transaction() as batch:
        _close(batch, job, JobStatus.SUCCEEDED, instances)
        _forget(batch, job, gone)
        give_back(batch, job.project_id, gone)
        _free(batch, job, cluster, stay)


def _forget(batch: TransactWrite, job: Job, instances: Sequence[Instance]) -> None:
    """Put into the batch that these records go, and the notes beside them."""
    for each in instances:
        batch.delete(each, condition=Instance.held_by == job.job_id)
    for note in Shelved.of([each.instance_id for each in instances]).values():
        batch.delete(note)


def held(job: Job) -> tuple[Cluster, list[Instance]]:
    """Return the job's cluster and all its instances. Raises Permanent if the job has lost the lock."""
    cluster = Cluster.find(job.cluster_id)
    if cluster is None or cluster.held_by != job.job_id:
        raise Permanent(f"Job {job.job_id} no longer holds cluster {job.cluster_id}.")
    return cluster, cluster.instances()


def settle_status(cluster: Cluster, instances: Sequence[Instance]) -> None:
    """Set the cluster's status; its message stays only with an ERROR."""
    cluster.status = status_of(instances)
    if cluster.status != Status.ERROR:
        cluster.message = None


def status_of(instances: Sequence[Instance]) -> Status:
    """Return the status of a cluster of these: what never served does not count, and without a primary it is broken."""
    served = [each for each in instances if each.joined_at]
    statuses = {each.status for each in served}
    if Status.ERROR in statuses or primary_of(served) is None:
        return Status.ERROR
    return Status.STOPPED if statuses == {Status.STOPPED} else Status.ACTIVE


def _stop_moving(instances: Sequence[Instance], reason: str) -> None:
    for each in instances:
        if each.status in AT_REST:
            continue
        each.status, each.status_before = each.status_before or Status.ERROR, None
        if each.status == Status.ERROR:
            each.message = reason


def _close(
    batch: TransactWrite, job: Job, status: JobStatus, instances: Sequence[Instance], message: str | None = None
) -> None:
    job.status, job.message, job.openness, job.wish = status, message, None, None
    job.finished_at = now()
    job.expires_at = timedelta(days=config.current().dtrove_job_retention_days)
    job.reached = [reached(job, each) for each in instances if each.instance_id in job.instance_ids]
    batch.save(job)
    let_go(batch, job)
    let_backups_go(batch, job)
    give_back_growth(batch, job, instances)


def reached(job: Job, instance: Instance) -> Reached:
    """Return how far the job has come with the instance."""
    steps = WORKFLOWS[job.workflow].steps
    done = job.status == JobStatus.SUCCEEDED
    step = None if WORKFLOWS[job.workflow].lock is Lock.NONE else instance.step  # that is another job's
    percent = 100 * (steps.index(step) if step in steps else 0) // len(steps)
    return Reached(
        instance_id=instance.instance_id,
        name=instance.name,
        step=step,
        percent=100 if done else percent,
        message=instance.message,
    )


def _free(batch: TransactWrite, job: Job, cluster: Cluster, instances: Sequence[Instance]) -> None:
    cluster.held_by, cluster.updated_at = None, now()
    batch.save(cluster, condition=Cluster.held_by == job.job_id)
    for each in instances:
        each.held_by, each.step, each.status_before = None, None, None
        batch.save(each, condition=Instance.held_by == job.job_id)


def _end_beside(job: Job, status: JobStatus, reason: str | None = None) -> None:
    """End a job that ran beside others: it changes no status. Raises Stale."""
    cluster = Cluster.find(job.cluster_id)
    with transaction() as batch:
        instances = cluster.instances() if cluster else []
        _close(batch, job, status, instances, reason)
        for each in note_end(job, instances):
            batch.save(each)
        leave(batch, job, cluster)
        if cluster is not None and job.title == ENABLE_ROOT and status == JobStatus.SUCCEEDED:
            cluster.root_enabled_at, cluster.root_enabled_by = now(), job.requested_by
            batch.save(cluster)
