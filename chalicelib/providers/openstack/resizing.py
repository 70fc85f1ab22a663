"""Another flavor for a server, in Nova's three moves.

Nova says yes at once and may find later that no host has room: then the server is as it was, and only the list of what
was done to it tells. So the server's metadata says, before each asking, for which flavor and job that is, and which
move was the last one until then: where a resize came after that and nothing after it, it failed.
"""

from collections.abc import Callable
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import BadRequestException, NotFoundException

from chalicelib.errors import ProviderError, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.servers import message_of

MARK = "dtrove_resize"  # in a server's metadata
NONE = "-"
RESIZE, MOVES = "resize", {"resize", "confirmResize", "revertResize"}  # in the list of what was done to a server
WAITS, AT_REST = "VERIFY_RESIZE", {"ACTIVE", "SHUTOFF"}


def is_resized(connection: Connection, server: Any, instance: Instance, flavor_id: str) -> bool:
    """Ask for it unless that was done. True once the server has the flavor."""
    flavor = _flavor(connection, flavor_id)
    if not _is_settled(server):
        return False
    if server.flavor.original_name == flavor.name:  # of its id Nova says nothing; names are unique
        return True
    if server.status == WAITS:
        raise ProviderError(f"The server of {instance.name} waits with flavor {server.flavor.original_name}.")
    _ask(connection, server, instance, flavor_id)
    return False


def _ask(connection: Connection, server: Any, instance: Instance, flavor_id: str) -> None:
    move, request_id = _last_move(connection, server)
    wish = f"{flavor_id} {instance.held_by or NONE}"
    asked_for, _, then = str(server.metadata.get(MARK, "")).rpartition(" ")
    if asked_for == wish and then != request_id and move == RESIZE:
        raise ProviderError(f"The cloud could not give {instance.name} flavor {flavor_id}: request {request_id}.")
    if (asked_for, then) != (wish, request_id):
        connection.compute.set_server_metadata(server, **{MARK: f"{wish} {request_id}"})
    connection.compute.resize_server(server, flavor_id)


def is_confirmed(connection: Connection, server: Any) -> bool:
    return _is_over(server, connection.compute.confirm_server_resize)


def is_reverted(connection: Connection, server: Any) -> bool:
    return _is_over(server, connection.compute.revert_server_resize)


def _is_over(server: Any, end: Callable[[Any], None]) -> bool:
    """End the resize if it waits for that. True once there is none."""
    if not _is_settled(server):
        return False
    if server.status != WAITS:
        return True
    try:
        end(server)
    except BadRequestException as error:  # Nova's word for one that is just being confirmed or reverted
        raise Transient(f"The cloud is busy with a resize: {error.details}") from error
    return False


def _is_settled(server: Any) -> bool:
    """False while Nova does something to it. Raises ProviderError if that went wrong."""
    if server.status == "ERROR":
        raise ProviderError(f"A server in ERROR cannot be resized: {message_of(server)}")
    return not server.task_state and server.status in {WAITS, *AT_REST}


def _last_move(connection: Connection, server: Any) -> tuple[str, str]:
    """Return the last one and its request, whatever became of it. Nova lists the newest first."""
    listed = ((str(each.action), str(each.request_id)) for each in connection.compute.server_actions(server))
    return next((each for each in listed if each[0] in MOVES), (NONE, NONE))


def _flavor(connection: Connection, flavor_id: str) -> Any:
    try:
        return connection.compute.get_flavor(flavor_id)
    except NotFoundException:
        raise ProviderError(f"There is no flavor {flavor_id}.") from None
