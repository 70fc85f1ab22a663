"""Access: who may reach an instance, made so in the cloud."""

from chalicelib.errors import NotReady
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.providers.base import Access, BaseProvider
from chalicelib.steps.step import cloud_errand_step
from chalicelib.steps.world import manager_for


def access_to(cluster: Cluster, wanted: Instance | Job) -> Access:
    """Return the access that the instance has, or that the job shall give it."""
    cidrs = tuple(wanted.allowed_cidrs or ())
    return Access(manager_for(cluster).port, cidrs or None, bool(wanted.is_public), int(wanted.access_changes or 0))


@cloud_errand_step
def change_access(job: Job, cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Let those in, and then say so of the instance: what the cloud refuses changes nothing."""
    if not provider.set_access(instance, access_to(cluster, job)):
        raise NotReady(f"The access to {instance.name} is being changed.")
    instance.is_public = bool(job.is_public)
    instance.allowed_cidrs = list(job.allowed_cidrs or ()) or None
