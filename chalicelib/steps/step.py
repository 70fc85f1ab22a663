"""What every step has in common: load, refuse if the lock is another's, note, run, save, report.

state machine ── {"step", "execution", "baton"} ──▶ run_step ──▶ Step.run(baton, job_id) ──▶ the plain function
                                                      │
                      NotReady · Transient · Permanent ◀── every other exception, mapped
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from chalicelib.errors import NotReady, Permanent
from chalicelib.jobs.beginnings import retake, workflow_of
from chalicelib.jobs.beside import may_act
from chalicelib.jobs.workflows import WORKFLOWS, Lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, now
from chalicelib.models.status import JobStatus
from chalicelib.providers.base import BaseProvider
from chalicelib.ssh.guest import Guest
from chalicelib.steps.world import current, guest_of

Baton = dict[str, Any]
InstanceWork = TypeVar("InstanceWork", bound=Callable[[Cluster, Instance], None])
GuestWork = TypeVar("GuestWork", bound=Callable[[Cluster, Instance, Guest], None])
CloudWork = TypeVar("CloudWork", bound=Callable[[Cluster, Instance, BaseProvider], None])
JobWork = TypeVar("JobWork", bound=Callable[[Job], None])

LONGEST_LAMBDA = timedelta(seconds=120)  # the longest time-out of the functions that run steps
PAUSE_SECONDS = 0.1  # between two tries inside one Lambda


@dataclass(frozen=True)
class Execution:
    """What a step is told of its execution; a job's id is its execution's name."""

    arn: str
    job_id: str
    redrive_count: int = 0

    @classmethod
    def of(cls, context: dict[str, Any]) -> "Execution":
        """Read the state machine's `$$.Execution`; RedriveCount is there only where redriving is."""
        return cls(context["Id"], context["Name"], int(context.get("RedriveCount", 0)))

    @property
    def lock(self) -> Lock:
        """The lock that a run of its workflow has."""
        return WORKFLOWS[workflow_of(self.arn)].lock


@dataclass(frozen=True)
class Step:
    run: Callable[[Baton, Execution], Baton | None]
    privilege: str


STEPS: dict[str, Step] = {}


def instance_step(privilege: str) -> Callable[[InstanceWork], InstanceWork]:
    """Make `work(cluster, instance)` a step on the baton's instance, or on the primary if it names none."""

    def decorate(work: InstanceWork) -> InstanceWork:
        name = work.__name__

        def run(baton: Baton, execution: Execution) -> None:
            cluster, instance = load(baton, execution)
            with nullcontext() if execution.lock is Lock.NONE else noted(instance, name, execution.job_id):
                patiently(lambda: work(cluster, instance))

        STEPS[name] = Step(run, privilege)
        return work

    return decorate


def guest_step(work: GuestWork) -> GuestWork:
    """Make `work(cluster, instance, guest)` a step; the connection is open while it runs, and asked again over it."""

    def with_guest(cluster: Cluster, instance: Instance) -> None:
        with closing(guest_of(instance)) as guest:
            patiently(lambda: work(cluster, instance, guest))

    with_guest.__name__ = work.__name__
    instance_step("guest")(with_guest)
    return work


def cloud_step(work: CloudWork) -> CloudWork:
    """Make `work(cluster, instance, provider)` a step."""

    def with_provider(cluster: Cluster, instance: Instance) -> None:
        work(cluster, instance, current().provider())

    with_provider.__name__ = work.__name__
    instance_step("cloud")(with_provider)
    return work


def job_step(work: JobWork) -> JobWork:
    """Make `work(job)` a step on records only. A job that has succeeded already is left as it is."""

    def run(baton: Baton, execution: Execution) -> None:
        job = Job.find(execution.job_id)
        if job is None:
            raise Permanent(f"There is no job {execution.job_id}.")
        if job.status == JobStatus.SUCCEEDED:
            return
        work(reopened(job, execution))

    STEPS[work.__name__] = Step(run, "records")
    return work


def reopened(job: Job, execution: Execution) -> Job:
    """Return the job if it runs; if its execution was redriven since it ended, take it up again. Raises Permanent."""
    if job.status == JobStatus.RUNNING:
        return job
    if execution.redrive_count <= job.redrives:
        raise Permanent(f"Job {job.job_id} has ended ({job.status}): {job.message}")
    retake(job, execution.redrive_count)
    return job


def load(baton: Baton, execution: Execution) -> tuple[Cluster, Instance]:
    """Read the step's records.

    Raises:
        Permanent: the job has no lock, or its turn is over.
        NotReady: another job's step may still be acting on the instance, or its turn comes first.
    """
    instance_id = baton.get("instance_id") or baton["primary_id"]
    cluster, instance = Cluster.find(baton["cluster_id"]), Instance.find(instance_id)
    if cluster is None or instance is None:
        raise Permanent(f"There is no instance {instance_id} any more.")
    if not may_act(execution.job_id, execution.lock, cluster, instance):
        job = Job.find(execution.job_id)
        if job is None or job.status == JobStatus.RUNNING:
            raise Permanent(f"Job {execution.job_id} no longer holds instance {instance_id}.")
        reopened(job, execution)
        return load(baton, execution)
    if execution.lock is not Lock.NONE:
        heed_note(instance, execution.job_id)
    return cluster, instance


def heed_note(instance: Instance, job_id: str) -> None:
    """Raise NotReady while another job's step may be acting on the instance."""
    if instance.busy_until and instance.busy_by != job_id and instance.busy_until > now():
        raise NotReady(f"A step of job {instance.busy_by} may still be acting on instance {instance.instance_id}.")


@contextmanager
def noted(instance: Instance, step: str, job_id: str) -> Iterator[None]:
    """Note on the instance that the step is acting on it; afterwards save what it changed, also if it is not ready.

    A step that dies leaves the note: until `busy_until` another job's steps wait, since its effect may land late. One
    that merely lost its lock meanwhile takes the note away, and nothing else.
    """
    instance.step, instance.busy_by, instance.busy_until = step, job_id, now() + LONGEST_LAMBDA
    instance.save_held()
    try:
        yield
    finally:
        instance.busy_by = instance.busy_until = None
        instance.updated_at = now()
        try:
            instance.save_held()
        except Stale:
            instance.clear_note_of(job_id)
            raise


def patiently(work: Callable[[], None]) -> None:
    """Run the work, asking again for a while when it is not ready: cheaper and sooner than a state transition."""
    world = current()
    until = world.monotonic() + world.patience_seconds
    while True:
        try:
            return work()
        except NotReady:
            if world.monotonic() >= until:
                raise
            world.sleep(PAUSE_SECONDS)
