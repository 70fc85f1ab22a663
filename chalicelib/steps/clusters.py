"""Steps on records: how a job opens, and how it closes."""

import re
from typing import Any

from chalicelib import journal
from chalicelib.errors import BadRequest, NotReady, Permanent, ServiceError
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import workflow_of
from chalicelib.metrics import QUEUE_SECONDS, counted
from chalicelib.models.cluster import Cluster, primary_of
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.shelved import Shelved
from chalicelib.orders.console import place_console_order
from chalicelib.orders.schedules import forget_schedules_of
from chalicelib.steps import shelf
from chalicelib.steps.execution import Baton, Execution, reopened
from chalicelib.steps.step import STEPS, Step, job_step

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


def open_job(baton: Baton, execution: Execution) -> Baton:
    """Find the job that the API recorded, or record the console's order; return the baton: ids only."""
    if not NAME.fullmatch(execution.job_id):  # it becomes part of units' and files' names on guests
        raise Permanent("Start it again under a name of at most 80 letters, digits, - and _.")
    workflow = workflow_of(execution.arn)
    job = Job.find(execution.job_id) or _placed(workflow, baton, execution)
    if job.workflow != workflow or (baton.get("cluster_id") or job.cluster_id) != job.cluster_id:
        raise Permanent(f"{execution.job_id} is the name of another job: start this one under a new name.")
    reopened(job, execution)
    if job.execution != execution.arn:
        job.execution = execution.arn
        job.save_running()
        waited = (now() - job.started_at).total_seconds()
        journal.tell("job opened", **counted({QUEUE_SECONDS: waited}, workflow=workflow))
    return baton_of(job)


def _placed(workflow: str, order: dict[str, Any], execution: Execution) -> Job:
    try:
        return place_console_order(workflow, order, execution.job_id)
    except BadRequest as error:
        raise Permanent(f"{error}; see statemachines/README.md for the input of {workflow}.") from error
    except ServiceError:
        if (job := Job.find(execution.job_id)) is not None:  # a try at the same moment was first
            return job
        raise


def baton_of(job: Job) -> Baton:
    cluster = Cluster.find(job.cluster_id)
    if cluster is None:
        raise Permanent(f"There is no cluster {job.cluster_id}.")
    instances = cluster.instances()
    primary = primary_of(instances)
    if primary is None:
        raise Permanent(f"Cluster {cluster.name} has no primary.")
    return {
        "cluster_id": cluster.cluster_id,
        "primary_id": primary.instance_id,
        "instance_ids": list(job.instance_ids),
        "replica_ids": [each for each in job.instance_ids if each != primary.instance_id],
    }


STEPS["open_job"] = Step(open_job, "records")


@job_step
def close_job(job: Job) -> None:
    endings.succeed(job)


@job_step
def forget_cluster(job: Job) -> None:
    clear_shelf(job)
    forget_schedules_of(job.cluster_id)
    endings.forget_cluster(job)


@job_step
def forget_instances(job: Job) -> None:
    clear_shelf(job)
    forget_schedules_of(job.cluster_id, job.instance_ids)
    endings.forget_instances(job)


def clear_shelf(job: Job) -> None:
    """Take away the logs of the instances that go: before their records, or nobody would know of them.

    Raises NotReady if there were any: meanwhile another try may have come to the end.
    """
    cleared = [shelf.clear(each) for each in Shelved.of(job.instance_ids)]
    if any(cleared):
        raise NotReady("The published logs are gone; the records are next.")
