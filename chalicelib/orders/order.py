"""Orders as typed values: ClusterOrder for a new cluster, InstanceOrder for each instance of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chalicelib import config
from chalicelib.datastores.accounts import Database, User
from chalicelib.errors import OverLimit
from chalicelib.models.cluster import Cluster, Kind
from chalicelib.models.instance import Instance
from chalicelib.orders.fields import Fields
from chalicelib.orders.whereabouts import Access, Nic, check_region, read_access, read_locality, read_nic, read_zone

MOST_GIB = 1_000_000
MOST_COMMANDS = 50
LONGEST_COMMAND = 4_096


@dataclass(frozen=True)
class InstanceOrder:
    flavor_id: str
    volume_gib: int | None = None
    name: str | None = None
    volume_type: str | None = None  # id or name
    nic: Nic | None = None
    availability_zone: str | None = None
    access: Access = field(default_factory=Access)

    @classmethod
    def read(cls, fields: Fields, *, named: bool = True) -> "InstanceOrder":
        fields.refuse("modules")
        check_region(fields)
        return cls(
            flavor_id=_flavor_id(fields),
            volume_gib=_volume_gib(fields),
            name=fields.name("name") if named and "name" in fields else None,
            volume_type=_volume_type(fields),
            nic=read_nic(fields),
            availability_zone=read_zone(fields),
            access=read_access(fields),
        )

    @classmethod
    def like(cls, instance: Instance) -> "InstanceOrder":
        """Return an order for one like it, in its network, under no name and address of its own yet."""
        return cls(
            flavor_id=instance.flavor_id,
            volume_gib=int(instance.volume_gib) if instance.volume_gib else None,
            volume_type=instance.volume_type,
            nic=Nic(instance.network_id, instance.subnet_id),
            availability_zone=instance.availability_zone,
        )

    def beside(self, primary: Instance) -> "InstanceOrder":
        """Return it with its primary's network, and who may reach that, if it says nothing of them."""
        nic = self.nic or Nic(primary.network_id, primary.subnet_id)
        return replace(self, nic=nic, access=self.access.over(primary))


@dataclass(frozen=True)
class ClusterOrder:
    name: str
    datastore: str  # id or name
    version: str | None  # id or number; None is the datastore's default
    instances: tuple[InstanceOrder, ...]  # the first becomes the primary
    kind: Kind = Kind.CLUSTER
    configuration_id: str | None = None  # of the group whose values it shall be born with
    databases: tuple[Database, ...] = ()  # to be born with
    users: tuple[User, ...] = ()
    locality: str | None = None
    backup_id: str | None = None  # whose data it shall be born with; then `datastore` may be "": the backup's

    @classmethod
    def parse(cls, body: object) -> "ClusterOrder":
        """Read Trove's `{"cluster": {…}}`, or ours with `"size"` equal instances. Raises BadRequest, OverLimit."""
        fields = Fields.of_body(body, "cluster")
        fields.refuse("extended_properties")
        datastore = fields.object("datastore")
        return cls(
            name=fields.name("name"),
            datastore=datastore.text("type"),
            version=datastore.text("version") if "version" in datastore else None,
            instances=_instances(fields),
            configuration_id=fields.reference("configuration") if "configuration" in fields else None,
            locality=read_locality(fields),
            backup_id=read_restore_point(fields),
        )


@dataclass(frozen=True)
class Change:
    """A job on a cluster that is there."""

    workflow: str
    cluster_id: str
    instance_ids: list[str] | None = None  # None is all members
    title: str | None = None  # perform
    commands: list[str] | None = None  # perform
    check: Callable[[Cluster], None] = lambda cluster: None  # raises what forbids it, of the cluster as it is now


def read_restore_point(fields: Fields) -> str | None:
    """Read Trove's `"restorePoint": {"backupRef": …}`; clients send an empty one unasked."""
    return None if fields.is_empty("restorePoint") else fields.object("restorePoint").reference("backupRef")


def parse_grow(fields: Fields) -> tuple[InstanceOrder, ...]:
    """Read the list of Trove's `{"grow": […]}`. Raises BadRequest, OverLimit."""
    most = config.current().dtrove_max_cluster_size
    orders = tuple(InstanceOrder.read(each) for each in fields.objects("grow"))
    if len(orders) > most:
        raise fields.wrong("grow", f"holds at most {most} instances")
    _check_addresses(fields, "grow", orders)
    return orders


def _instances(fields: Fields) -> tuple[InstanceOrder, ...]:
    most = config.current().dtrove_max_cluster_size
    if "size" in fields and "instances" in fields:
        raise fields.wrong("size", "cannot be given beside instances")
    if "size" in fields:
        size = fields.whole("size", least=1, most=most)
        orders = (InstanceOrder.read(fields, named=False),) * size
        _check_addresses(fields, "nics", orders)
        return orders
    orders = tuple(InstanceOrder.read(each) for each in fields.objects("instances"))
    if len(orders) > most:
        raise fields.wrong("instances", f"holds at most {most} instances")
    names = [each.name for each in orders if each.name]
    if len(set(names)) < len(names):
        raise fields.wrong("instances", "gives two instances one name")
    _check_addresses(fields, "instances", orders)
    return orders


def _check_addresses(fields: Fields, key: str, orders: Sequence[InstanceOrder]) -> None:
    addresses = [each.nic.ip_address for each in orders if each.nic and each.nic.ip_address]
    if len(set(addresses)) < len(addresses):
        raise fields.wrong(key, "gives two instances one address")


def _flavor_id(fields: Fields) -> str:
    """Read `flavorRef`, or what openstacksdk sends for it: `flavor`, an id or an object with one."""
    if "flavorRef" in fields or "flavor" not in fields:
        return fields.reference("flavorRef")
    if isinstance(fields.value("flavor"), dict):
        return fields.object("flavor").reference("id")
    return fields.reference("flavor")


def _volume_gib(fields: Fields) -> int | None:
    if "volume" not in fields:
        return None
    return read_size(fields.object("volume"), "size")


def read_size(fields: Fields, key: str) -> int:
    """Read a volume's size in GiB. Raises BadRequest, OverLimit."""
    size = fields.whole(key, least=1, most=MOST_GIB)
    if size > (largest := config.current().dtrove_max_volume_gib):
        raise OverLimit(f"{fields.field(key)}: a volume is at most {largest} GiB.")
    return size


def _volume_type(fields: Fields) -> str | None:
    volume = fields.object("volume") if "volume" in fields else None
    return volume.text("type") if volume and "type" in volume else None


def parse_commands(fields: Fields, cluster_id: str, instance_id: str) -> Change:
    """Read `{"name": …, "commands": […]}`: the seed's perform. Raises BadRequest."""
    commands = fields.texts("commands", longest=LONGEST_COMMAND, most=MOST_COMMANDS)
    return Change("perform", cluster_id, [instance_id], title=fields.name("name"), commands=commands)
