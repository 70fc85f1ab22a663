"""Volumes made larger: in the cloud, then the file system on it."""

from chalicelib.errors import NotReady
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.providers.base import BaseProvider
from chalicelib.ssh.guest import Guest
from chalicelib.steps.step import cloud_errand_step, guest_step
from chalicelib.steps.world import manager_for


@cloud_errand_step
def extend_volume(job: Job, cluster: Cluster, instance: Instance, provider: BaseProvider) -> None:
    """Extend it, and then say so of the instance: what the cloud refuses changes nothing."""
    volume_gib = int(job.volume_gib)
    if not provider.extend_volume(instance, volume_gib):
        raise NotReady(f"The volume of {instance.name} is being extended to {volume_gib} GiB.")
    instance.volume_gib, instance.is_ungrown = volume_gib, True


@guest_step
def grow_file_system(cluster: Cluster, instance: Instance, guest: Guest) -> None:
    manager_for(cluster).grow_file_system(instance, guest)
    instance.is_ungrown = None
