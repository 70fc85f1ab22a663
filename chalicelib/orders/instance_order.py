"""Trove's order of an instance: one of its own, or replicas of one that is there."""

from dataclasses import dataclass, field

from chalicelib.models.cluster import Kind
from chalicelib.orders.account_order import has_any, read_databases, read_users
from chalicelib.orders.catalog import named_datastore
from chalicelib.orders.fields import Fields
from chalicelib.orders.order import ClusterOrder, InstanceOrder, read_restore_point
from chalicelib.orders.whereabouts import (
    Access,
    Nic,
    check_region,
    read_access,
    read_locality,
    read_nic,
    read_zone,
    refuse_address_of_replica,
)

MOST_REPLICAS = 3  # of one order; as in Trove
INHERITED = ("flavorRef", "flavor", "volume", "datastore", "locality", "users", "databases", "restorePoint")


@dataclass(frozen=True)
class ReplicaOrder:
    """Replicas of an instance, alike it in all but name and whereabouts."""

    source_id: str
    names: tuple[str, ...]
    nic: Nic | None = None  # None: in its network
    availability_zone: str | None = None
    access: Access = field(default_factory=Access)


def parse_instance(body: object) -> ClusterOrder | ReplicaOrder:
    """Read `{"instance": {…}}`. Raises BadRequest, OverLimit."""
    fields = Fields.of_body(body, "instance")
    fields.refuse("modules")
    if "replica_of" in fields:
        return _replicas(fields)
    if "replica_count" in fields and fields.whole("replica_count", least=1, most=MOST_REPLICAS) > 1:
        raise fields.wrong("replica_count", "needs replica_of")
    backup_id = read_restore_point(fields)
    datastore, version = ("", None) if backup_id and "datastore" not in fields else named_datastore(fields)
    return ClusterOrder(
        name=fields.name("name"),
        datastore=datastore,
        version=version,
        instances=(InstanceOrder.read(fields, named=False),),
        kind=Kind.STANDALONE,
        configuration_id=fields.reference("configuration") if "configuration" in fields else None,
        databases=tuple(read_databases(fields) if has_any(fields, "databases") else ()),
        users=tuple(read_users(fields) if has_any(fields, "users") else ()),
        locality=read_locality(fields),
        backup_id=backup_id,
    )


def _replicas(fields: Fields) -> ReplicaOrder:
    for key in INHERITED:
        if key in fields:
            raise fields.wrong(key, "cannot be given beside replica_of: a replica is like its source")
    count = fields.whole("replica_count", least=1, most=MOST_REPLICAS) if "replica_count" in fields else 1
    name = fields.name("name")
    names = (name,) if count == 1 else tuple(f"{name}-{number}" for number in range(1, count + 1))
    check_region(fields)
    nic = read_nic(fields)
    refuse_address_of_replica(fields, nic)
    return ReplicaOrder(fields.reference("replica_of"), names, nic, read_zone(fields), read_access(fields))
