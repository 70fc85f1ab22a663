"""Ports: made before their server, so that its address and who may reach it are settled before it lives."""

from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, ForbiddenException, PreconditionFailedException

from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.labels import Label, name_of


def ports_of(connection: Connection, instance: Instance) -> list[Any]:
    return [
        each
        for each in connection.network.ports(name=name_of(str(instance.instance_id)))
        if Label.read(each.description)
    ]


def is_free(port: Any) -> bool:
    """Say whether no server has it."""
    return not port.device_id


def is_chosen(port: Any) -> bool:
    label = Label.read(port.description)
    return label is not None and label.is_chosen


def choose(connection: Connection, port_id: str, instance: Instance) -> None:
    connection.network.update_port(port_id, description=Label.of(instance).chosen().text)


def make_port(
    connection: Connection, instance: Instance, network_id: str, subnet_id: str | None, groups: list[str]
) -> Any:
    wanted = {"subnet_id": subnet_id, "ip_address": instance.ip_address}
    fixed = {name: value for name, value in wanted.items() if value}
    return connection.network.create_port(
        network_id=network_id,
        name=name_of(str(instance.instance_id)),
        description=Label.of(instance).text,
        security_group_ids=groups,
        **({"fixed_ips": [fixed]} if fixed else {}),
    )


def drop_port(connection: Connection, port_id: str) -> bool:
    """False while a server has it: Neutron keeps it then from us, since 2026.1 by policy."""
    try:
        connection.network.delete_port(port_id)
    except (ConflictException, ForbiddenException):
        return False
    return True


def address_of(port: Any) -> tuple[str, str]:
    """Return the port's first IPv4 address and its subnet."""
    first = next(each for each in port.fixed_ips if ":" not in each["ip_address"])
    return str(first["ip_address"]), str(first["subnet_id"])


def change(connection: Connection, port: Any, **attributes: Any) -> bool:
    """Change the port as it was read. False if somebody else changed it since."""
    try:
        connection.network.update_port(port, if_revision=port.revision_number, **attributes)
    except PreconditionFailedException:
        return False
    return True
