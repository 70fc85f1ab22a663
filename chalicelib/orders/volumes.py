"""Volumes: made larger by a job, while their databases serve."""

from collections.abc import Sequence

from chalicelib.errors import BadRequest, NotFound, Unprocessable
from chalicelib.jobs.beginnings import check, draft, not_now, take_lock
from chalicelib.jobs.quota import add_growth, check_growth
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.record import transaction
from chalicelib.models.status import Status
from chalicelib.orders.fields import Fields
from chalicelib.orders.order import read_size
from chalicelib.orders.placing import Placed, once
from chalicelib.orders.requester import Requester

RESIZE = "resize_volume"


def read_new_size(fields: Fields) -> int:
    """Read `{"volume": {"size": GiB}}`, or openstacksdk's `{"volume": GiB}`. Raises BadRequest, OverLimit."""
    if isinstance(fields.value("volume"), dict):
        return read_size(fields.object("volume"), "size")
    return read_size(fields, "volume")


def place_new_size(cluster_id: str, instance_id: str, volume_gib: int, by: Requester) -> Placed:
    """Record the job that makes the instance's volume that large, and a primary's replicas' too.

    Raises NotFound, BadRequest, Unprocessable, OverLimit.
    """

    def place() -> Placed:
        cluster = Cluster.of_project(by.project_id, cluster_id)
        check(WORKFLOWS[RESIZE], cluster)
        instances = cluster.instances()
        job = draft(RESIZE, cluster, _about(instances, instance_id, volume_gib), by.user, by.attempt.job_id)
        job.volume_gib = volume_gib
        limits = check_growth(job, instances)
        with transaction() as batch:
            take_lock(batch, job, cluster, instances)
            add_growth(batch, job, instances, limits)
        return Placed(cluster, instances, job)

    return once(by, place)


def _about(instances: Sequence[Instance], instance_id: str, volume_gib: int) -> list[str]:
    """Return whose volumes shall grow: a replica has to hold all that its primary does."""
    asked = next((each for each in instances if each.instance_id == instance_id), None)
    if asked is None:
        raise NotFound(f"Resource {instance_id} cannot be found.")
    if not asked.volume_gib:
        raise BadRequest(f"Instance {instance_id} does not have a volume.")
    if not _is_to_grow(asked, volume_gib):
        raise BadRequest(f"The new volume size must be larger than the current one of {asked.volume_gib} GiB.")
    replicas = [each for each in instances if asked.is_primary and each is not asked and each.joined_at]
    about = [asked, *(each for each in replicas if _is_to_grow(each, volume_gib))]
    if away := next((each for each in about if each.status not in {Status.ACTIVE, Status.ERROR}), None):
        raise not_now(f"Instance {away.instance_id}", away.status)
    if not all(each.joined_at for each in about):
        raise Unprocessable(f"Instance {instance_id} never served: there is nothing on its volume.")
    return [each.instance_id for each in about]


def _is_to_grow(instance: Instance, volume_gib: int) -> bool:
    """Say whether its volume is smaller, or as large since a job that failed before its file system was."""
    has_gib = int(instance.volume_gib or 0)
    return has_gib < volume_gib or (has_gib == volume_gib and bool(instance.is_ungrown))
