"""Clusters as if ordered over the API, and as if their workflows had run."""

from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.orders.order import Change, ClusterOrder, InstanceOrder
from chalicelib.orders.placing import Placed, place_change, place_cluster, place_instances
from chalicelib.orders.requester import Requester

MEMBER = Requester("p1", "member")


def ordered(size: int = 3, *, volume_gib: int | None = None, datastore: str = "redis") -> Placed:
    """A cluster just ordered: CREATING, held by its job."""
    return place_cluster(ClusterOrder("c1", datastore, None, (InstanceOrder("1", volume_gib),) * size), MEMBER)


def active(size: int = 3, *, volume_gib: int | None = None) -> Cluster:
    placed = ordered(size, volume_gib=volume_gib)
    endings.succeed(placed.job)
    return fresh(placed.cluster)


def change(workflow: str, cluster: Cluster, *instance_ids: str) -> Placed:
    return place_change(Change(workflow, cluster.cluster_id, list(instance_ids) or None), MEMBER)


def grown(cluster: Cluster, count: int = 1) -> Placed:
    return place_instances(cluster.cluster_id, [InstanceOrder("1")] * count, MEMBER)


def fresh(cluster: Cluster) -> Cluster:
    return Cluster.get(cluster.cluster_id, consistent_read=True)


def fresh_job(job: Job) -> Job:
    return Job.get(job.job_id, consistent_read=True)
