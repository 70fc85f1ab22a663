"""What every step has in common: load, refuse if the lock is another's, note, run, save, report.

state machine ── {"step", "execution", "baton"} ──▶ run_step ──▶ Step.run(baton, job_id) ──▶ the plain function
                                                      │
                      NotReady · Transient · Permanent ◀── every other exception, mapped
"""

from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.errors import Permanent
from chalicelib.jobs.workflows import Lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.providers.base import BaseProvider
from chalicelib.ssh.guest import Guest
from chalicelib.steps.acting import load, named, noted, patiently
from chalicelib.steps.execution import Baton, Execution, reopened
from chalicelib.steps.world import current, guest_of

InstanceWork = TypeVar("InstanceWork", bound=Callable[[Cluster, Instance], None])
GuestWork = TypeVar("GuestWork", bound=Callable[[Cluster, Instance, Guest], None])
ErrandWork = TypeVar("ErrandWork", bound=Callable[[Job, Cluster, Instance, Guest], None])
InstanceErrandWork = TypeVar("InstanceErrandWork", bound=Callable[[Job, Cluster, Instance], None])
CloudErrandWork = TypeVar("CloudErrandWork", bound=Callable[[Job, Cluster, Instance, BaseProvider], None])
CloudWork = TypeVar("CloudWork", bound=Callable[[Cluster, Instance, BaseProvider], None])
JobWork = TypeVar("JobWork", bound=Callable[[Job], None])


@dataclass(frozen=True)
class Step:
    run: Callable[[Baton, Execution], Baton | None]
    privilege: str


STEPS: dict[str, Step] = {}


def _register(
    name: str, privilege: str, work: Callable[[Execution, Cluster, Instance], None], *, only_looks: bool = False
) -> None:
    """Make the work a step on the baton's instance, or on the primary if it names none."""

    def run(baton: Baton, execution: Execution) -> None:
        cluster, instance = load(baton, execution)
        is_noted = not only_looks and execution.lock is not Lock.NONE
        note = noted(instance, name, execution.job_id) if is_noted else nullcontext()
        with named(instance), note:
            patiently(lambda: work(execution, cluster, instance))

    STEPS[name] = Step(run, privilege)


def instance_step(privilege: str) -> Callable[[InstanceWork], InstanceWork]:
    """Make `work(cluster, instance)` a step."""

    def decorate(work: InstanceWork) -> InstanceWork:
        _register(work.__name__, privilege, lambda _, cluster, instance: work(cluster, instance))
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


def errand_step(work: ErrandWork) -> ErrandWork:
    """Make `work(job, cluster, instance, guest)` a step: what it does on the guest is in the job itself."""

    def with_job(execution: Execution, cluster: Cluster, instance: Instance) -> None:
        with closing(guest_of(instance)) as guest:
            patiently(lambda: work(Job.get(execution.job_id, consistent_read=True), cluster, instance, guest))

    _register(work.__name__, "guest", with_job)
    return work


def instance_errand_step(work: InstanceErrandWork) -> InstanceErrandWork:
    """Make `work(job, cluster, instance)` a step: it says itself which guest it goes to, and asks again over it."""

    def with_job(execution: Execution, cluster: Cluster, instance: Instance) -> None:
        work(Job.get(execution.job_id, consistent_read=True), cluster, instance)

    _register(work.__name__, "guest", with_job)
    return work


def cloud_step(work: CloudWork) -> CloudWork:
    """Make `work(cluster, instance, provider)` a step."""

    def with_provider(cluster: Cluster, instance: Instance) -> None:
        work(cluster, instance, current().provider())

    with_provider.__name__ = work.__name__
    instance_step("cloud")(with_provider)
    return work


def cloud_errand_step(work: CloudErrandWork) -> CloudErrandWork:
    """Make `work(job, cluster, instance, provider)` a step: what it asks of the cloud is in the job itself."""
    _register(work.__name__, "cloud", _with_job_and_provider(work))
    return work


def cloud_look_step(work: CloudErrandWork) -> CloudErrandWork:
    """Make `work(job, cluster, instance, provider)` a step that only looks: its instance stays at the step before."""
    _register(work.__name__, "cloud", _with_job_and_provider(work), only_looks=True)
    return work


def _with_job_and_provider(work: CloudErrandWork) -> Callable[[Execution, Cluster, Instance], None]:
    def with_job(execution: Execution, cluster: Cluster, instance: Instance) -> None:
        work(Job.get(execution.job_id, consistent_read=True), cluster, instance, current().provider())

    return with_job


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
