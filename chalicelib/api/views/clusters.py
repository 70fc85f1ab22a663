"""Clusters as Trove shows them."""

from collections.abc import Sequence

from chalicelib.api.request import Request
from chalicelib.api.views.instances import shape, status_of
from chalicelib.api.views.links import View, links, when
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.status import Status

TASKS = {  # Trove's, as clients wait for NONE
    Status.CREATING: (2, "BUILDING", "Building the initial cluster."),
    Status.DELETING: (5, "DELETING", "Deleting the cluster."),
    Status.GROWING: (6, "GROWING_CLUSTER", "Increasing the size of the cluster."),
    Status.SHRINKING: (7, "SHRINKING_CLUSTER", "Decreasing the size of the cluster."),
    Status.RESTARTING: (9, "RESTARTING_CLUSTER", "Restarting the cluster."),
    Status.STARTING: (11, "STARTING_CLUSTER", "Starting the cluster."),
    Status.STOPPING: (12, "STOPPING_CLUSTER", "Stopping the cluster."),
    Status.RESIZING: (13, "RESIZING_CLUSTER", "Resizing the cluster."),
    Status.UPDATING: (10, "UPDATING_CLUSTER", "Updating the cluster."),
}
IDLE = (1, "NONE", "No tasks for the cluster.")


def cluster_view(request: Request, cluster: Cluster, instances: Sequence[Instance] | None = None) -> View:
    """Return a cluster; with its instances' records in full, without them as a list shows it."""
    status = Status(cluster.status)
    task = TASKS.get(status, IDLE) if cluster.held_by else IDLE
    view: View = {
        "id": cluster.cluster_id,
        "name": cluster.name,
        "status": status,
        "task": dict(zip(("id", "name", "description"), task, strict=True)),
        "created": when(cluster.created_at),
        "updated": when(cluster.updated_at),
        "links": links(request, "clusters", cluster.cluster_id),
        "datastore": {"type": cluster.datastore, "version": cluster.datastore_version},
        "instances": [
            {
                "id": each.instance_id,
                "name": each.name,
                "type": "member",
                "links": links(request, "instances", each.instance_id),
            }
            for each in cluster.members
        ],
    }
    if cluster.locality:
        view["locality"] = cluster.locality
    if cluster.message:
        view["fault"] = {"message": cluster.message, "created": when(cluster.updated_at)}
    if instances is not None:
        _detail(request, view, instances)
    return view


def _detail(request: Request, view: View, instances: Sequence[Instance]) -> None:
    records = {each.instance_id: each for each in instances}
    for member in view["instances"]:
        if (instance := records.get(member["id"])) is None:  # deleted since the cluster was read
            continue
        member |= {"status": status_of(instance)[0], "role": instance.role, **shape(request, instance)}
    view["ip"] = [each.address for each in instances if each.address]
