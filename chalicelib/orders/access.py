"""Access: who may reach an instance, changed by a job."""

from chalicelib.errors import NotFound, Unprocessable
from chalicelib.jobs.beginnings import draft, take_lock
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.cluster import Cluster
from chalicelib.models.record import transaction
from chalicelib.orders.placing import Placed, once
from chalicelib.orders.requester import Requester
from chalicelib.orders.whereabouts import Access

CHANGE = "change_access"


def place_access(cluster_id: str, instance_id: str, access: Access, by: Requester) -> Placed:
    """Record the job that lets those reach the instance, and nobody else. What is not said stays as it is.

    Raises NotFound, Unprocessable.
    """

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, cluster_id)
        instances = cluster.instances()
        instance = next((each for each in instances if each.instance_id == instance_id), None)
        if instance is None:
            raise NotFound(f"Resource {instance_id} cannot be found.")
        if instance.status not in WORKFLOWS[CHANGE].begins_from:
            raise Unprocessable(
                f"Instance {instance_id} is not currently available for an action to be performed "
                f"(instance status was {instance.status})."
            )
        wanted = access.over(instance)
        job = draft(CHANGE, cluster, [instance_id], by.user, by.attempt.job_id)
        job.is_public, job.allowed_cidrs = wanted.is_public, list(wanted.allowed_cidrs or ())
        job.access_changes = instance.access_changes = (instance.access_changes or 0) + 1
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
        return Placed(cluster, instances, job)

    return once(by, place)
