"""Addresses: which are free, and the one of each cluster that moves between its servers."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.nspawn import network
from chalicelib.providers.nspawn.locks import locked
from chalicelib.providers.nspawn.records import AddressRecord, ServerRecord, discard, load, load_all, save
from chalicelib.providers.nspawn.site import Site, safe


def address_of(site: Site, instance: Instance) -> IPv4Address:
    """Return the one it asks for, or else one that no record holds. Under the allocation lock, until it is in one."""
    return site.only_network.address_of(instance, set(_taken(site)))


def ensure(site: Site, cluster_id: str) -> str:
    with locked(site.lock("allocation")):
        if (known := load(AddressRecord, site.address(cluster_id))) is not None:
            return known.address
        address = str(site.only_network.free(set(_taken(site))))
        record = AddressRecord(
            kind="address", resource_id=address, cluster_id=cluster_id, instance_id=None, address=address
        )
        save(record, site.address(cluster_id))
        return address


def move(site: Site, cluster_id: str, to: ServerRecord) -> None:
    """Give the cluster's address to this server and take it from all others, from outside: they need not agree."""
    with locked(_lock(site, cluster_id)):
        record = load(AddressRecord, site.address(cluster_id))
        if record is None:
            raise ProviderError(f"Cluster {cluster_id} has no address: ensure it first.")
        record.holder_id = to.instance_id
        save(record, site.address(cluster_id))
        _drop(site, record, keep=to.instance_id)
        network.add_address(site, to, IPv4Address(record.address))


def restore(site: Site, server: ServerRecord) -> None:
    """Give the cluster's address back to the server if it is the one that has it: a new namespace has none."""
    if not (site.address(server.cluster_id)).exists():
        return
    with locked(_lock(site, server.cluster_id)):
        record = load(AddressRecord, site.address(server.cluster_id))
        if record is not None and record.holder_id == server.instance_id:
            network.add_address(site, server, IPv4Address(record.address))


def release(site: Site, cluster_id: str) -> None:
    with locked(_lock(site, cluster_id)):
        if (record := load(AddressRecord, site.address(cluster_id))) is not None:
            _drop(site, record, keep=None)
        discard(site.address(cluster_id))


def _drop(site: Site, record: AddressRecord, keep: str | None) -> None:
    for server in load_all(ServerRecord, site.root / "guests"):
        if server.cluster_id == record.cluster_id and server.instance_id != keep:
            network.drop_address(server.machine, IPv4Address(record.address), site.network)


def _taken(site: Site) -> Iterator[IPv4Address]:
    yield site.gateway
    for server in load_all(ServerRecord, site.root / "guests"):
        yield IPv4Address(server.address)
    for record in load_all(AddressRecord, site.root / "addresses"):
        yield IPv4Address(record.address)


def _lock(site: Site, cluster_id: str) -> Path:
    return site.lock(f"address-{safe(cluster_id)}")
