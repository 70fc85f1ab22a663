"""Servers: found by name, told apart by metadata, made with a port of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import ConflictException, HttpException, NotFoundException

from chalicelib.config import Config
from chalicelib.errors import ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Birth, ServerStatus
from chalicelib.providers.openstack import ports
from chalicelib.providers.openstack.choice import Found, forget
from chalicelib.providers.openstack.labels import Label, name_of
from chalicelib.providers.openstack.userdata import user_data

GONE = {"DELETED", "SOFT_DELETED"}
STATUSES = {
    "BUILD": ServerStatus.BUILD,
    "REBUILD": ServerStatus.BUILD,
    "ACTIVE": ServerStatus.ACTIVE,
    "PASSWORD": ServerStatus.ACTIVE,
    "REBOOT": ServerStatus.REBOOT,
    "HARD_REBOOT": ServerStatus.REBOOT,
    "RESIZE": ServerStatus.RESIZE,
    "REVERT_RESIZE": ServerStatus.RESIZE,
    "VERIFY_RESIZE": ServerStatus.VERIFY_RESIZE,
    "SHUTOFF": ServerStatus.SHUTOFF,
    "ERROR": ServerStatus.ERROR,
    **dict.fromkeys(GONE, ServerStatus.DELETED),
}
UP_OR_RESIZED = {ServerStatus.ACTIVE, ServerStatus.RESIZE, ServerStatus.VERIFY_RESIZE}
NO_CONSOLE = {404, 409, 501}  # it is not there, was never on a host, or the hypervisor keeps none
STARTING = {"powering-on", "rebooting", "reboot_started", "rebooting_hard", "reboot_started_hard"}
OURS = ("port_id", "address", "network_id", "subnet_id", "user", "host_key")  # in a server's metadata, as dtrove_…


class Servers:
    """The family of one instance's servers."""

    can_be_marked = True

    def __init__(self, connection: Connection, instance: Instance) -> None:
        self._connection, self._instance = connection, instance
        self.name, self.label = name_of(str(instance.instance_id)), Label.of(instance)
        self.dropped_ports: list[str] = []  # they go when their servers are gone

    def all(self) -> list[Any]:
        """Return those that exist, also those that are being deleted."""
        found = self._connection.compute.servers(name=f"^{re.escape(self.name)}$")
        return [each for each in found if Label.in_metadata(each.metadata) and each.status not in GONE]

    def living(self) -> list[Any]:
        return [each for each in self.all() if each.task_state != "deleting"]

    def known(self, server_id: str) -> Any | None:
        """Return the server of that id if it is there and not being deleted."""
        try:
            server = self._connection.compute.get_server(server_id)
        except NotFoundException:
            return None
        return None if server.status in GONE or server.task_state == "deleting" else server

    def found(self) -> list[Found]:
        if not (living := self.living()):
            return []
        chosen = {str(each.id) for each in self.ports() if ports.is_chosen(each)}
        return [Found(str(each.id), port_id_of(each) in chosen) for each in living]

    def ports(self) -> list[Any]:
        return ports.ports_of(self._connection, self._instance)

    def exists(self, resource_id: str) -> bool:
        return self.known(resource_id) is not None

    def choose(self, resource_id: str) -> None:
        """Mark its port: Nova may lose what is said of a server that it is about to hand over to its cell."""
        if server := self.known(resource_id):
            ports.choose(self._connection, port_id_of(server), self._instance)

    def drop(self, resource_id: str) -> None:
        try:
            server = self._connection.compute.get_server(resource_id)
        except NotFoundException:
            return
        self._connection.compute.delete_server(server)
        self.dropped_ports.append(port_id_of(server))

    def forget_choice(self) -> None:
        forget(self._connection, self.name)


@dataclass(frozen=True)
class Place:
    disk: Mapping[str, Any]  # what it boots from, as `root_disk` says it
    port: Any
    group_id: str | None  # of the server group


def make_server(connection: Connection, instance: Instance, birth: Birth, place: Place) -> str:
    """Ask for a server; return its id."""
    address, subnet_id = ports.address_of(place.port)
    port = (place.port.id, address, place.port.network_id, subnet_id)
    told = zip(OURS, (*port, birth.user, birth.host_key_public), strict=True)
    server = connection.compute.create_server(
        name=name_of(str(instance.instance_id)),
        **place.disk,
        flavor_id=instance.flavor_id,
        networks=[{"port": place.port.id}],
        metadata=Label.of(instance).metadata | {f"dtrove_{name}": str(value) for name, value in told},
        user_data=user_data(birth),
        config_drive=True,
        **({"availability_zone": instance.availability_zone} if instance.availability_zone else {}),
        **({"scheduler_hints": {"group": place.group_id}} if place.group_id else {}),
    )
    return str(server.id)


def note(instance: Instance, server: Any) -> None:
    """Note on the instance what the server's metadata tells of it."""
    instance.server_id = str(server.id)
    instance.local_id = server.instance_name or str(server.id)  # the compute host's name for it: administrators see it
    instance.compute_host = server.hypervisor_hostname or instance.compute_host
    told = server.metadata
    instance.address, instance.user = told["dtrove_address"], told["dtrove_user"]
    instance.network_id, instance.subnet_id = told["dtrove_network_id"], told["dtrove_subnet_id"]


def root_disk(image_id: str, settings: Config) -> dict[str, Any]:
    """Return what a server boots from. A volume is Nova's own, made of the image: it comes and goes with its server."""
    if not settings.dtrove_openstack_boot_volume_gib:
        return {"image_id": image_id}
    volume = {
        "boot_index": 0,
        "uuid": image_id,
        "source_type": "image",
        "destination_type": "volume",
        "volume_size": settings.dtrove_openstack_boot_volume_gib,
        "delete_on_termination": True,
    }
    kind = settings.dtrove_openstack_boot_volume_type
    return {"block_device_mapping": [volume | ({"volume_type": kind} if kind else {})]}


def port_id_of(server: Any) -> str:
    return str(server.metadata["dtrove_port_id"])


def status_of(server: Any) -> ServerStatus:
    """Return Nova's status; what it is about to leave counts as left, and what we know no word for as stopped."""
    status = STATUSES.get(server.status, ServerStatus.SHUTOFF)
    if status is ServerStatus.SHUTOFF and server.task_state in STARTING:
        return ServerStatus.REBOOT
    return status


def message_of(server: Any) -> str | None:
    fault = server.fault or {}
    return str(fault["message"]) if fault.get("message") else None


def start(connection: Connection, server: Any) -> None:
    if server.task_state in STARTING or STATUSES.get(server.status) in UP_OR_RESIZED:
        return
    if server.status in {"SHUTOFF", "SUSPENDED", "PAUSED"}:
        wake = {"SHUTOFF": "start_server", "SUSPENDED": "resume_server", "PAUSED": "unpause_server"}[server.status]
        getattr(connection.compute, wake)(server)
    else:  # in ERROR, for example since its host went down: a hard reboot puts it together anew
        connection.compute.reboot_server(server, "HARD")


def stop(connection: Connection, server: Any) -> None:
    if server.status == "SHUTOFF" or server.task_state == "powering-off":
        return
    try:
        connection.compute.stop_server(server)
    except ConflictException as error:
        if server.status == "ERROR":
            raise ProviderError(f"A server in ERROR cannot be stopped: {error.details}") from error
        raise


def console_of(connection: Connection, server_id: str, lines: int) -> str:
    try:
        return str(connection.compute.get_server_console_output(server_id, length=lines).get("output") or "")
    except HttpException as error:
        if error.status_code in NO_CONSOLE:
            return ""
        raise
