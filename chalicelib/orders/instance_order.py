"""Trove's order of an instance: one of its own, or replicas of one that is there."""

from dataclasses import dataclass

from chalicelib.errors import BadRequest
from chalicelib.models.cluster import Kind
from chalicelib.orders.account_order import has_any, read_databases, read_users
from chalicelib.orders.catalog import named_datastore
from chalicelib.orders.fields import Fields
from chalicelib.orders.order import ClusterOrder, InstanceOrder

MOST_REPLICAS = 3  # of one order; as in Trove
INHERITED = ("flavorRef", "flavor", "volume", "datastore", "locality", "users", "databases", "restorePoint")


@dataclass(frozen=True)
class ReplicaOrder:
    """Replicas of an instance, alike it in all but name."""

    source_id: str
    names: tuple[str, ...]


def parse_instance(body: object) -> ClusterOrder | ReplicaOrder:
    """Read `{"instance": {…}}`. Raises BadRequest, OverLimit."""
    fields = Fields.of_body(body, "instance")
    fields.refuse("nics", "availability_zone", "region_name", "modules", "locality", "restorePoint")
    _refuse_access(fields)
    if "replica_of" in fields:
        return _replicas(fields)
    if "replica_count" in fields and fields.whole("replica_count", least=1, most=MOST_REPLICAS) > 1:
        raise fields.wrong("replica_count", "needs replica_of")
    datastore, version = named_datastore(fields)
    return ClusterOrder(
        name=fields.name("name"),
        datastore=datastore,
        version=version,
        instances=(InstanceOrder.read(fields, named=False),),
        kind=Kind.STANDALONE,
        configuration_id=fields.reference("configuration") if "configuration" in fields else None,
        databases=tuple(read_databases(fields) if has_any(fields, "databases") else ()),
        users=tuple(read_users(fields) if has_any(fields, "users") else ()),
    )


def _replicas(fields: Fields) -> ReplicaOrder:
    for key in INHERITED:
        if key in fields:
            raise fields.wrong(key, "cannot be given beside replica_of: a replica is like its source")
    count = fields.whole("replica_count", least=1, most=MOST_REPLICAS) if "replica_count" in fields else 1
    name = fields.name("name")
    names = (name,) if count == 1 else tuple(f"{name}-{number}" for number in range(1, count + 1))
    return ReplicaOrder(fields.reference("replica_of"), names)


def _refuse_access(fields: Fields) -> None:
    """Let pass what clients send unasked: `{"is_public": false}`."""
    if "access" not in fields:
        return
    access = fields.object("access")
    if access.is_true("is_public") or ("allowed_cidrs" in access and access.value("allowed_cidrs")):
        raise BadRequest(f"Validation error: {access.path}: access from outside is not offered yet")
