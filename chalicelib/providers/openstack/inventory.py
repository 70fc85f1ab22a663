"""What carries our ids: for the sweep, which compares it with the records."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from openstack.connection import Connection

from chalicelib.errors import Transient
from chalicelib.providers.base import OwnedResource
from chalicelib.providers.openstack import choice, groups, ports, volumes
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.dns import Names
from chalicelib.providers.openstack.labels import Label, moment_of
from chalicelib.providers.openstack.servers import GONE


def owned(cloud: Cloud) -> Iterator[OwnedResource]:
    connection = cloud.connection
    network, storage = connection.network, connection.block_storage
    labelled: dict[str, Iterable[Any]] = {
        "server": (each for each in connection.compute.servers() if each.status not in GONE),
        "volume": (each for each in storage.volumes() if volumes.KEPT not in each.metadata),
        "snapshot": storage.snapshots(),
    }
    described: dict[str, Iterable[Any]] = {
        "port": network.ports(),
        "address": network.ips(),
        "group": network.security_groups(),
        "name": Names(cloud).all(),
    }
    for kind, resources in labelled.items():
        for each in resources:
            yield from _listed(kind, each, Label.in_metadata(each.metadata))
    for kind, resources in described.items():
        for each in resources:
            yield from _listed(kind, each, Label.read(each.description))
    for pair in connection.compute.keypairs():
        if found := choice.born_of(pair.public_key):
            label, born = found
            ids = (pair.name, label.cluster_id, label.instance_id)
            yield OwnedResource("key pair", *ids, born, label.deployment)


def _listed(kind: str, resource: Any, label: Label | None) -> Iterator[OwnedResource]:
    if label:
        if kind == "port" and label.instance_id is None:
            kind = "address"  # that the cluster has, and no server needs to
        born = moment_of(resource.created_at)
        is_idle = kind == "port" and ports.is_free(resource)
        ids = (str(resource.id), label.cluster_id, label.instance_id)
        yield OwnedResource(kind, *ids, born, label.deployment, is_idle)


def remove(cloud: Cloud, resource: OwnedResource) -> None:
    """Delete it. Already gone is success; what is still used by another is left for the next sweep."""
    connection = cloud.connection
    ends: dict[str, Callable[[str], object]] = {
        "server": connection.compute.delete_server,
        "volume": lambda volume_id: volumes.drop_volume(connection, volume_id),
        "snapshot": lambda snapshot_id: volumes.drop_snapshot(connection, snapshot_id),
        "key pair": connection.compute.delete_keypair,
        "port": lambda port_id: ports.drop_port(connection, port_id),
        "address": lambda address_id: _drop_address(connection, address_id),
        "group": lambda group_id: groups.drop_group(connection, group_id),
        "name": lambda recordset_id: Names(cloud).remove(recordset_id),
    }
    with suppress(Transient):
        ends[resource.kind](resource.resource_id)


def _drop_address(connection: Connection, address_id: str) -> None:
    """Remove what it may be: a floating IP, or a port."""
    connection.network.delete_ip(address_id)
    ports.drop_port(connection, address_id)
