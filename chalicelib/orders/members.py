"""The records of a new cluster and of its members, as an order asks for them. Nothing is saved here."""

from collections.abc import Sequence
from itertools import count
from uuid import NAMESPACE_URL, uuid5

from chalicelib.models.cluster import Cluster, Kind, Member
from chalicelib.models.datastore import Datastore
from chalicelib.models.flavor import Flavor
from chalicelib.models.instance import Instance
from chalicelib.orders.order import ClusterOrder, InstanceOrder
from chalicelib.orders.whereabouts import Nic

LONGEST_STEM = 240  # characters of the cluster's name: with what follows an instance's name is at most 255


def id_from(job_id: str, what: str) -> str:
    """Return an id that follows from the job's, so that an order carried out twice makes the same records."""
    return str(uuid5(NAMESPACE_URL, f"dtrove:{job_id}:{what}"))


def new_cluster(order: ClusterOrder, project_id: str, datastore: Datastore, cluster_id: str) -> Cluster:
    return Cluster(
        cluster_id=cluster_id,
        project_id=project_id,
        listed_in=project_id if order.kind is Kind.CLUSTER else None,
        kind=order.kind,
        name=order.name,
        datastore=datastore.datastore,
        datastore_version=datastore.version,
        datastore_version_id=datastore.version_id,
        locality=order.locality,
    )


def new_instances(
    cluster: Cluster,
    orders: Sequence[InstanceOrder],
    flavors: dict[str, Flavor],
    job_id: str,
    configuration_id: str | None = None,
) -> list[Instance]:
    """Return records of new members, entered into the cluster's list too; with the group, if any, of that id."""
    instances = []
    for position, order in enumerate(orders):
        instance = _new_instance(cluster, order, flavors[order.flavor_id], id_from(job_id, f"instance-{position}"))
        instance.configuration_id = configuration_id
        cluster.members.append(Member(instance_id=instance.instance_id, name=instance.name))
        instances.append(instance)
    return instances


def _new_instance(cluster: Cluster, order: InstanceOrder, flavor: Flavor, instance_id: str) -> Instance:
    nic = order.nic or Nic()
    return Instance(
        instance_id=instance_id,
        cluster_id=cluster.cluster_id,
        project_id=cluster.project_id,
        standalone_in=cluster.project_id if cluster.kind == Kind.STANDALONE else None,
        name=order.name or _free_name(cluster),
        datastore=cluster.datastore,
        datastore_version=cluster.datastore_version,
        datastore_version_id=cluster.datastore_version_id,
        flavor_id=flavor.flavor_id,
        memory_mib=flavor.memory_mib,
        vcpus=flavor.vcpus,
        volume_gib=order.volume_gib,
        volume_type=order.volume_type,
        availability_zone=order.availability_zone,
        locality=cluster.locality,
        network_id=nic.network_id,
        subnet_id=nic.subnet_id,
        ip_address=nic.ip_address,
        is_public=bool(order.access.is_public),
        allowed_cidrs=list(order.access.allowed_cidrs or ()) or None,
        key_id=cluster.key_ids[-1],
    )


def _free_name(cluster: Cluster) -> str:
    if cluster.kind == Kind.STANDALONE:
        return cluster.name
    taken = {member.name for member in cluster.members}
    names = (f"{cluster.name[:LONGEST_STEM]}-member-{number}" for number in count(1))
    return next(name for name in names if name not in taken)
