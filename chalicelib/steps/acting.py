"""How a step acts on an instance: reads its records, heeds its lock, notes that it acts, asks again while not ready."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from chalicelib.errors import NotReady, Permanent
from chalicelib.jobs.beside import may_act
from chalicelib.jobs.workflows import Lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, now
from chalicelib.models.status import JobStatus
from chalicelib.steps.execution import Baton, Execution, reopened
from chalicelib.steps.world import current

LONGEST_LAMBDA = timedelta(seconds=120)  # the longest time-out of the functions that run steps
PAUSE_SECONDS = 0.1  # between the first two tries inside one Lambda; then longer …
LONGEST_PAUSE_SECONDS = 1.0  # … up to this: a real cloud builds for half a minute
PAUSE_GROWTH = 1.3


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
    if not may_act(execution.job_id, execution.workflow, cluster, instance):
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
    until, pause_seconds = world.monotonic() + world.patience_seconds, PAUSE_SECONDS
    while True:
        try:
            return work()
        except NotReady:
            if world.monotonic() >= until:
                raise
            world.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)


@contextmanager
def named(instance: Instance) -> Iterator[None]:
    """Have what fails for good say on which instance: the job's message is all that some will read."""
    try:
        yield
    except Permanent as error:
        if instance.name in str(error):
            raise
        raise Permanent(f"{instance.name}: {error}") from error
