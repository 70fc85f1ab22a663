"""The end of an instance: its server first, then what was made for it, and what was its cluster's."""

from datetime import timedelta
from typing import Any

from openstack.connection import Connection

from chalicelib.errors import NotReady, ProviderError
from chalicelib.models.instance import Instance
from chalicelib.models.record import now
from chalicelib.providers.openstack import addresses, groups, ports
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.labels import moment_of
from chalicelib.providers.openstack.nearness import ServerGroups
from chalicelib.providers.openstack.servers import Servers
from chalicelib.providers.openstack.volumes import DELETING, Volumes, drop_or_keep

LONG = timedelta(seconds=60)  # for a server's end
UNDELETABLE = "error_deleting"  # but for an operator


def is_gone(cloud: Cloud, instance: Instance) -> bool:
    """Remove all of the instance but its snapshots. True once nothing is left."""
    connection = cloud.connection
    if not _servers_are_gone(connection, instance):
        return False
    family = Volumes(connection, instance)
    volumes = family.all()
    if volumes and all(each.status in DELETING for each in volumes):
        return False  # all else was asked for before, and is once more when they are gone
    are_dropped = drop_satellites(connection, instance)
    return _volumes_are_gone(connection, family, volumes) and are_dropped


def _servers_are_gone(connection: Connection, instance: Instance) -> bool:
    family = Servers(connection, instance)
    found = family.all()
    for each in found:
        if each.task_state != "deleting" or _is_overdue(each):
            connection.compute.delete_server(each)
    return not found


def _is_overdue(server: Any) -> bool:
    """Say whether its host may have gone down since it was asked: asked again, Nova deletes the server without it."""
    return now() - moment_of(server.updated_at) > LONG


def drop_satellites(connection: Connection, instance: Instance) -> bool:
    """Remove ports, addresses and groups. False if a server still has one: Nova may not have listed it."""
    addresses.of_instance(connection, instance).drop_all()
    dropped = [ports.drop_port(connection, each.id) for each in ports.ports_of(connection, instance)]
    dropped += [groups.drop_group(connection, each.id) for each in groups.access_groups(connection, instance)]
    groups.drop_cluster_groups(connection, str(instance.cluster_id))
    Servers(connection, instance).forget_choice()
    if instance.locality:
        ServerGroups(connection, str(instance.cluster_id)).drop_all()
    return all(dropped)


def _volumes_are_gone(connection: Connection, family: Volumes, volumes: list[Any]) -> bool:
    """Raise NotReady, ProviderError, naming a volume that cannot be deleted yet, or only by an operator."""
    for each in volumes:
        if each.status not in {*DELETING, UNDELETABLE} and not _is_leaving(each):
            drop_or_keep(connection, each)
    family.forget_choice()
    left = family.all()
    for each in left:
        if each.status == UNDELETABLE:
            raise ProviderError(f"Volume {each.id} is in status {each.status}.")
        if _is_leaving(each):
            raise NotReady(f"Volume {each.id} is in status {each.status}.")
    return not left


def _is_leaving(volume: Any) -> bool:
    """Say whether it is on its way from somewhere: Cinder refuses to delete it until it has arrived."""
    return volume.status in {"creating", "attaching", "detaching", "extending", "in-use", "reserved"}
