"""All that carries our ids on this site, and how each kind of it goes."""

from collections.abc import Sequence

from chalicelib.providers.base import OwnedResource
from chalicelib.providers.nspawn import addresses, servers, storage
from chalicelib.providers.nspawn.records import AddressRecord, ServerRecord, SnapshotRecord, VolumeRecord, load_all
from chalicelib.providers.nspawn.site import Site


def owned(site: Site) -> Sequence[OwnedResource]:
    records = (
        *load_all(ServerRecord, site.root / "guests"),
        *load_all(VolumeRecord, site.root / "volumes"),
        *load_all(SnapshotRecord, site.root / "snapshots"),
        *load_all(AddressRecord, site.root / "addresses"),
    )
    return [record.owned for record in records]


def remove(site: Site, resource: OwnedResource) -> None:
    match resource.kind:
        case "server" | "volume" if resource.instance_id:
            destroy(site, resource.instance_id)
        case "snapshot":
            storage.delete_snapshot(site, resource.resource_id)
        case "address":
            addresses.release(site, resource.cluster_id)


def destroy(site: Site, instance_id: str) -> bool:
    """Remove the instance's server and volume. True once nothing is left."""
    with servers.held(site, instance_id) as server:
        if server is not None and not servers.destroy(site, server):
            return False
        return storage.remove(site, instance_id)
