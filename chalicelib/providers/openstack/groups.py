"""Security groups: one of the cluster, whose members reach each other, and one of each instance, for who else may come.

An instance's group is made whole for each change of access, its rules and all, and then takes the place of the one
before at the port, on condition that nobody else changed the port since it was read. So nobody is ever let in by half
of a change, and a change that comes late sees the number of the one that came before it.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, NotFoundException

from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access
from chalicelib.providers.openstack.choice import Found, forget, only_one
from chalicelib.providers.openstack.labels import Label, name_of

EVERYBODY = "0.0.0.0/0"


class ClusterGroups:
    """The family of one cluster's groups."""

    can_be_marked = True

    def __init__(self, connection: Connection, cluster_id: str) -> None:
        self._connection, self.label = connection, Label.of_cluster(cluster_id)
        self.name = name_of(f"{cluster_id}-group")

    def found(self) -> list[Found]:
        groups = self._connection.network.security_groups(name=name_of(self.label.cluster_id))
        labelled = [(str(each.id), Label.read(each.description)) for each in groups]
        return [Found(group_id, label.is_chosen) for group_id, label in labelled if label]

    def exists(self, resource_id: str) -> bool:
        return resource_id in {each.resource_id for each in self.found()}

    def make(self) -> str:
        group = self._connection.network.create_security_group(
            name=name_of(self.label.cluster_id), description=self.label.text
        )
        return str(group.id)

    def choose(self, resource_id: str) -> None:
        """Lay its rule, and only then mark it: who made it may have been cut before."""
        _lay_rules(self._connection, resource_id, [{"remote_group_id": resource_id}])
        self._connection.network.update_security_group(resource_id, description=self.label.chosen().text)

    def drop(self, resource_id: str) -> None:
        drop_group(self._connection, resource_id)


def cluster_group(connection: Connection, cluster_id: str) -> str:
    family = ClusterGroups(connection, cluster_id)
    return only_one(connection, family, family.make)


def ports_of_cluster(connection: Connection, cluster_id: str) -> list[Any]:
    """Return the ports of the cluster's servers: its group has no other members."""
    group_ids = [each.resource_id for each in ClusterGroups(connection, cluster_id).found()]
    found = connection.network.ports(security_group_ids=group_ids) if group_ids else ()
    return [each for each in found if set(group_ids) & set(each.security_group_ids)]


def drop_cluster_groups(connection: Connection, cluster_id: str) -> None:
    """Remove the cluster's group unless a port still has it."""
    family = ClusterGroups(connection, cluster_id)
    is_used = [each for each in family.found() if not drop_group(connection, each.resource_id)]
    if not is_used:
        forget(connection, family.name)


def access_group(connection: Connection, instance: Instance, access: Access, our_networks: tuple[str, ...]) -> str:
    """Return the group that lets exactly those in, making it whole."""
    label = Label.of(instance, note=_note(access))
    same = [each for each in access_groups(connection, instance) if each.description == label.text]
    group = min(same, key=lambda each: str(each.id)) if same else None
    if group is None:
        group = connection.network.create_security_group(
            name=name_of(str(instance.instance_id)), description=label.text
        )
    laid = {(_port_of(rule), rule["remote_ip_prefix"]) for rule in group.security_group_rules or ()}
    wanted = list(_rules(access, our_networks))
    _lay_rules(
        connection, group.id, [each for each in wanted if (_port_of(each), each["remote_ip_prefix"]) not in laid]
    )
    return str(group.id)


def access_groups(connection: Connection, instance: Instance) -> list[Any]:
    found = connection.network.security_groups(name=name_of(str(instance.instance_id)))
    return [each for each in found if Label.read(each.description)]


def number_of(group: Any) -> int:
    """Return the number of the change that a group was made for."""
    label = Label.read(group.description)
    number, _, _ = (label.note if label else "").partition("-")
    return int(number) if number.isdecimal() else 0


def drop_group(connection: Connection, group_id: str) -> bool:
    """False if a port still has it."""
    try:
        connection.network.delete_security_group(group_id)
    except ConflictException:
        return False
    return True


def _note(access: Access) -> str:
    who = hashlib.sha256(repr((access.port, access.allowed_cidrs)).encode()).hexdigest()[:12]
    return f"{access.number}-{who}"


def _rules(access: Access, our_networks: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for ours in our_networks:
        yield {"remote_ip_prefix": ours}
    if access.port is not None:
        for theirs in (EVERYBODY,) if access.allowed_cidrs is None else access.allowed_cidrs:
            ports = {"protocol": "tcp", "port_range_min": access.port, "port_range_max": access.port}
            yield ports | {"remote_ip_prefix": theirs}


def _port_of(rule: dict[str, Any]) -> int | None:
    return rule.get("port_range_min")


def _lay_rules(connection: Connection, group_id: str, rules: list[dict[str, Any]]) -> None:
    common = {"security_group_id": group_id, "direction": "ingress", "ethertype": "IPv4"}
    if not rules:
        return
    try:
        list(connection.network.create_security_group_rules([common | each for each in rules]))
    except (ConflictException, NotFoundException):  # another try laid some, or took the whole group away
        connection.network.get_security_group(group_id)
        for each in rules:
            _lay_rule(connection, common | each)


def _lay_rule(connection: Connection, rule: dict[str, Any]) -> None:
    try:
        connection.network.create_security_group_rule(**rule)
    except ConflictException as error:
        if "already exists" not in str(error):
            raise
