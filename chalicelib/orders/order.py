"""Orders as typed values: ClusterOrder for a new cluster, InstanceOrder for each instance of it."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib import config
from chalicelib.datastores.accounts import Database, User
from chalicelib.errors import OverLimit
from chalicelib.models.cluster import Cluster, Kind
from chalicelib.orders.fields import Fields

MOST_GIB = 1_000_000
MOST_COMMANDS = 50
LONGEST_COMMAND = 4_096


@dataclass(frozen=True)
class InstanceOrder:
    flavor_id: str
    volume_gib: int | None = None
    name: str | None = None

    @classmethod
    def read(cls, fields: Fields, *, named: bool = True) -> "InstanceOrder":
        fields.refuse("nics", "availability_zone", "region_name", "modules")
        return cls(
            flavor_id=_flavor_id(fields),
            volume_gib=_volume_gib(fields),
            name=fields.name("name") if named and "name" in fields else None,
        )


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

    @classmethod
    def parse(cls, body: object) -> "ClusterOrder":
        """Read Trove's `{"cluster": {…}}`, or ours with `"size"` equal instances. Raises BadRequest, OverLimit."""
        fields = Fields.of_body(body, "cluster")
        fields.refuse("locality", "extended_properties")
        datastore = fields.object("datastore")
        return cls(
            name=fields.name("name"),
            datastore=datastore.text("type"),
            version=datastore.text("version") if "version" in datastore else None,
            instances=_instances(fields),
            configuration_id=fields.reference("configuration") if "configuration" in fields else None,
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


def parse_grow(fields: Fields) -> tuple[InstanceOrder, ...]:
    """Read the list of Trove's `{"grow": […]}`. Raises BadRequest, OverLimit."""
    most = config.current().dtrove_max_cluster_size
    orders = tuple(InstanceOrder.read(each) for each in fields.objects("grow"))
    if len(orders) > most:
        raise fields.wrong("grow", f"holds at most {most} instances")
    return orders


def _instances(fields: Fields) -> tuple[InstanceOrder, ...]:
    most = config.current().dtrove_max_cluster_size
    if "size" in fields and "instances" in fields:
        raise fields.wrong("size", "cannot be given beside instances")
    if "size" in fields:
        size = fields.whole("size", least=1, most=most)
        return (InstanceOrder.read(fields, named=False),) * size
    orders = tuple(InstanceOrder.read(each) for each in fields.objects("instances"))
    if len(orders) > most:
        raise fields.wrong("instances", f"holds at most {most} instances")
    names = [each.name for each in orders if each.name]
    if len(set(names)) < len(names):
        raise fields.wrong("instances", "gives two instances one name")
    return orders


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
    volume = fields.object("volume")
    size = volume.whole("size", least=1, most=MOST_GIB)
    if size > (largest := config.current().dtrove_max_volume_gib):
        raise OverLimit(f"{volume.field('size')}: a volume is at most {largest} GiB.")
    return size


def parse_commands(fields: Fields, cluster_id: str, instance_id: str) -> Change:
    """Read `{"name": …, "commands": […]}`: the seed's perform. Raises BadRequest."""
    commands = fields.texts("commands", longest=LONGEST_COMMAND, most=MOST_COMMANDS)
    return Change("perform", cluster_id, [instance_id], title=fields.name("name"), commands=commands)
