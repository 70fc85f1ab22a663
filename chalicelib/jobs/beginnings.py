"""How a job begins: the record of it, the lock and the change itself in one transaction, then its execution."""

import json
import logging
from collections.abc import Sequence
from uuid import uuid4

from pynamodb.transactions import TransactWrite

from chalicelib import aws, config, journal
from chalicelib.errors import Permanent, Unprocessable
from chalicelib.jobs.beside import is_beside, join
from chalicelib.jobs.bringing import take_along
from chalicelib.jobs.endings import preempt
from chalicelib.jobs.workflows import WORKFLOWS, Lock, Workflow
from chalicelib.models.cluster import Cluster, Kind
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.job import OPEN, Job
from chalicelib.models.page import sort_key_of
from chalicelib.models.record import now, transaction
from chalicelib.models.status import BACKUP, JobStatus


def draft(workflow: str, cluster: Cluster, instance_ids: Sequence[str], requested_by: str, job_id: str = "") -> Job:
    """Return a job not yet begun, about these instances: their order is the baton's."""
    started_at = now()
    job_id = job_id or str(uuid4())
    return Job(
        job_id=job_id,
        project_id=cluster.project_id,
        cluster_id=cluster.cluster_id,
        workflow=workflow,
        instance_ids=list(instance_ids),
        requested_by=requested_by,
        openness=OPEN,
        started_at=started_at,
        sort_key=sort_key_of(started_at, job_id),
    )


def take_lock(batch: TransactWrite, job: Job, cluster: Cluster, instances: Sequence[Instance]) -> None:
    """Put into the batch: the job, and its lock on the cluster and all of its instances, new ones among them.

    A shared lock is on the cluster only; without a lock the job queues up for its instances.

    Raises Unprocessable if the cluster is busy or in the wrong state.
    """
    workflow = WORKFLOWS[job.workflow]
    check(workflow, cluster)
    batch.save(job)
    if is_beside(job):
        join(batch, job, cluster)
        return
    if cluster.held_by or cluster.shared_by:
        preempt(batch, job, cluster, instances)
    cluster.held_by, cluster.shared_by, cluster.last_job_id = job.job_id, None, job.job_id
    cluster.status = workflow.during or cluster.status
    cluster.updated_at = now()
    batch.save(cluster)
    for each in instances:
        each.held_by = job.job_id
        if each.instance_id in job.instance_ids:
            set_moving(each, workflow)
            each.step = None
        batch.save(each)


def set_moving(instance: Instance, workflow: Workflow) -> None:
    instance.status_before = instance.status if workflow.spares else None
    instance.status = workflow.instances_during or instance.status


def check(workflow: Workflow, cluster: Cluster) -> None:
    """Raise Unprocessable unless the workflow may begin on the cluster now. A new cluster is nobody's."""
    is_new = cluster.revision is None
    if in_the_way(workflow, cluster) or not (is_new or cluster.status in workflow.begins_from):
        raise busy(cluster)


def in_the_way(workflow: Workflow, cluster: Cluster) -> bool:
    """Tell whether another job's lock keeps the workflow out."""
    match workflow.lock:
        case Lock.EXCLUSIVE:
            return bool(cluster.held_by or cluster.shared_by)
        case Lock.SHARED:
            return bool(cluster.held_by)
    return False


def busy(cluster: Cluster) -> Unprocessable:
    what = f"Cluster {cluster.cluster_id}" if cluster.kind == Kind.CLUSTER else f"Instance {cluster.primary_id}"
    return not_now(what, BACKUP if cluster.shared_by else cluster.status)


def not_now(what: str, status: str) -> Unprocessable:
    """Return Trove's own words for what is asked of a thing in the wrong status."""
    return Unprocessable(f"{what} is not currently available for an action to be performed (status was {status}).")


def launch(job: Job) -> None:
    """Start the job's execution. The same name twice is the same run; a refused start is left to the sweep."""
    states = aws.client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=config.current().dtrove_machine_prefix + job.workflow,
            name=job.job_id,
            input=json.dumps({"cluster_id": job.cluster_id}),
        )
    except states.exceptions.ExecutionAlreadyExists:
        pass
    except Exception as error:  # the record and its lock are there: the caller has its answer, the sweep tries again
        journal.tell("launch refused", logging.WARNING, job_id=job.job_id, error=type(error).__name__)


def execution_arn(job: Job) -> str:
    """Return the ARN of the job's execution: its machine's, with its own name behind."""
    machine = config.current().dtrove_machine_prefix + job.workflow
    return machine.replace(":stateMachine:", ":execution:", 1) + f":{job.job_id}"


def workflow_of(execution: str) -> str:
    """Return the workflow that an execution's ARN is a run of."""
    machine = execution.split(":")[-2]
    return machine.removeprefix(config.current().dtrove_machine_prefix.split(":")[-1])


def retake(job: Job, redrive_count: int) -> None:
    """Open a failed job again for its redriven execution, if its lock is to be had. Raises Permanent, Stale.

    An exclusive one's is, if nobody had the cluster since.
    """
    cluster = Cluster.find(job.cluster_id)
    changed = cluster is not None and cluster.last_job_id != job.job_id and not is_beside(job)
    workflow = WORKFLOWS[job.workflow]
    if cluster is None or changed or in_the_way(workflow, cluster):
        raise Permanent(f"Cluster {job.cluster_id} has changed since job {job.job_id} ended: it cannot be redriven.")
    job.status, job.openness, job.redrives = JobStatus.RUNNING, OPEN, redrive_count
    job.message = job.finished_at = job.expires_at = None
    if job.volume_gib or job.backup_id:  # what it counted was given back; what it read may be gone
        raise Permanent(f"Job {job.job_id} cannot be redriven: order the same anew.")
    group = Configuration.find(job.configuration_id) if job.configuration_id else None
    with transaction() as batch:
        batch.save(job)
        if is_beside(job):
            join(batch, job, cluster)
            return
        if group is not None:
            take_along(batch, job, group)
        cluster.held_by, cluster.status, cluster.message = job.job_id, workflow.during or cluster.status, None
        for each in cluster.instances():
            each.held_by = job.job_id
            if each.instance_id in job.instance_ids:
                set_moving(each, workflow)
                each.message = None
            batch.save(each)
        batch.save(cluster)
