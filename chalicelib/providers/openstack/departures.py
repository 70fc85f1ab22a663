"""The end of an instance: its server first, then what was made for it, and what was its cluster's."""

from typing import Any

from openstack.connection import Connection

from chalicelib.models.instance import Instance
from chalicelib.providers.openstack import addresses, groups, ports
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.nearness import ServerGroups
from chalicelib.providers.openstack.servers import Servers
from chalicelib.providers.openstack.volumes import DELETING, Volumes, drop_or_keep


def is_gone(cloud: Cloud, instance: Instance) -> bool:
    """Remove all of the instance but its snapshots. True once nothing is left."""
    connection = cloud.connection
    if not _servers_are_gone(connection, instance):
        return False
    drop_satellites(connection, instance)
    return _volumes_are_gone(connection, instance)


def _servers_are_gone(connection: Connection, instance: Instance) -> bool:
    family = Servers(connection, instance)
    found = family.all()
    for each in found:
        if each.task_state != "deleting":
            connection.compute.delete_server(each)
    return not found


def drop_satellites(connection: Connection, instance: Instance) -> None:
    """Remove ports, addresses and groups: nothing has them any more."""
    addresses.of_instance(connection, instance).drop_all()
    for port in ports.ports_of(connection, instance):
        ports.drop_port(connection, port.id)
    for group in groups.access_groups(connection, instance):
        groups.drop_group(connection, group.id)
    groups.drop_cluster_groups(connection, str(instance.cluster_id))
    Servers(connection, instance).forget_choice()
    if instance.locality:
        ServerGroups(connection, str(instance.cluster_id)).drop_all()


def _volumes_are_gone(connection: Connection, instance: Instance) -> bool:
    family = Volumes(connection, instance)
    for each in family.all():
        if each.status not in DELETING and not _is_leaving(each):
            drop_or_keep(connection, each)
    family.forget_choice()
    return not family.all()


def _is_leaving(volume: Any) -> bool:
    """Say whether it is on its way from somewhere: Cinder refuses to delete it until it has arrived."""
    return volume.status in {"creating", "attaching", "detaching", "extending", "in-use", "reserved"}
