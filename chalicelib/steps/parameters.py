"""Parameters: a configuration group's values, made so on a guest."""

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import Permanent
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.ssh.guest import Guest
from chalicelib.steps.step import errand_step
from chalicelib.steps.world import manager_for


@errand_step
def apply_parameters(job: Job, cluster: Cluster, instance: Instance, guest: Guest) -> None:
    """Give the instance the job's group. It has it only once its server has: a value refused changes nothing."""
    waiting = manager_for(cluster).apply_parameters(instance, guest, values_of(job.configuration_id))
    instance.configuration_id = job.configuration_id
    instance.waiting_parameters = set(waiting) or None


def values_of(configuration_id: str | None) -> Mapping[str, Any]:
    """Return the values of a group; without one there are none. Raises Permanent if it is gone."""
    if configuration_id is None:
        return {}
    if (configuration := Configuration.find(configuration_id)) is None:
        raise Permanent(f"There is no configuration group {configuration_id} any more.")
    return dict(configuration.values)
