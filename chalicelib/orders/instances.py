"""What may be asked of a Trove instance, which is a member of one of our clusters: most often its only one."""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.errors import BadRequest, Forbidden, NotOffered
from chalicelib.jobs.beginnings import busy
from chalicelib.models.cluster import Cluster, Kind, Member
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import now, transaction
from chalicelib.models.status import Status
from chalicelib.orders.instance_order import ReplicaOrder
from chalicelib.orders.order import Change, InstanceOrder
from chalicelib.orders.placing import Placed, place_change, place_instances, tried
from chalicelib.orders.requester import Requester


def place_replicas(order: ReplicaOrder, source: Instance, by: Requester) -> Placed:
    """Record replicas of the source, and the job that makes them. Raises BadRequest, Unprocessable, OverLimit."""
    if not source.standalone_in:
        raise BadRequest(f"Instance {source.instance_id} is a member of a cluster: let the cluster grow instead.")
    if not source.is_primary:
        raise BadRequest(f"Instance {source.instance_id} is a replica itself: name its source.")
    like = InstanceOrder.like(source)
    one = replace(like, nic=order.nic, availability_zone=order.availability_zone, access=order.access)
    orders = [replace(one, name=name) for name in order.names]
    return place_instances(source.cluster_id, orders, by)


def place_removal(instance: Instance, by: Requester) -> Placed:
    """Record the job that deletes it. Raises NotOffered for a cluster's member, Forbidden for a source of replicas."""
    instance_id = instance.instance_id
    if not instance.standalone_in:
        raise NotOffered(f"Instance {instance_id} is a member of a cluster: let the cluster shrink instead.")
    if instance.is_primary:
        change = Change("delete_cluster", instance.cluster_id, check=_without_replicas(instance_id))
    else:
        change = Change("remove_instance", instance.cluster_id, [instance_id])
    return place_change(change, by)


def _without_replicas(instance_id: str) -> Callable[[Cluster], None]:
    def check(cluster: Cluster) -> None:
        if others := len(cluster.members) - 1:
            raise Forbidden(f"Instance {instance_id} has {others} replicas: delete those first.")

    return check


def place_restart(instance: Instance, by: Requester) -> Placed:
    """Record the job that restarts it, or starts it if it was stopped."""
    workflow = "start_cluster" if instance.status == Status.STOPPED else "restart_cluster"
    return place_change(Change(workflow, instance.cluster_id, [instance.instance_id]), by)


def rename(instance: Instance, name: str, under: Job | None = None) -> None:
    """Rename it, and with it what else bears its name. Raises Unprocessable while a job holds it, `under` apart."""

    def place() -> None:
        cluster = Cluster.of_project(instance.project_id, instance.cluster_id)
        fresh = Instance.of_project(instance.project_id, instance.instance_id)
        if cluster.held_by and not (under and under.job_id == cluster.held_by):
            raise busy(cluster)
        fresh.name, fresh.updated_at = name, now()
        cluster.members = [_renamed(member, fresh) for member in cluster.members]
        if cluster.kind == Kind.STANDALONE and fresh.is_primary:
            cluster.name = name
        with transaction() as batch:
            batch.save(cluster)
            batch.save(fresh)

    tried(place)


def _renamed(member: Member, instance: Instance) -> Member:
    same = member.instance_id == instance.instance_id
    return Member(instance_id=member.instance_id, name=instance.name if same else member.name)
