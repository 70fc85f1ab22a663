"""/instances/{id}/action and its like for administrators: exactly one action, as Trove names them."""

from collections.abc import Callable

from chalice.app import Response

from chalicelib.api.answering import accepted, told
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.jobs import job_view
from chalicelib.errors import BadRequest, Forbidden, NotOffered
from chalicelib.jobs.reset import reset
from chalicelib.models.instance import Instance
from chalicelib.orders.fields import Fields
from chalicelib.orders.instances import place_restart
from chalicelib.orders.order import Change, parse_commands
from chalicelib.orders.placing import Placed, place_change, tried
from chalicelib.orders.requester import Requester
from chalicelib.orders.volumes import place_new_size, read_new_size

routes = Routes(__name__)

Place = Callable[[Instance, Requester], Placed]
TO_COME = ("promote_to_replica_source", "eject_replica_source", "migrate", "rebuild")


def place(workflow: str) -> Place:
    return lambda instance, by: place_change(Change(workflow, instance.cluster_id, [instance.instance_id]), by)


ACTIONS: dict[str, Place] = {"restart": place_restart, "stop": place("stop_cluster"), "start": place("start_cluster")}
MANAGED: dict[str, Place] = {"reboot": place("reboot_instance")}  # for administrators
RESETS = ("reset_status", "reset-task-status")


@routes.on("POST /instances/{instance_id}/action")
def act_on_instance(request: Request) -> Response:
    instance = request.find(Instance, "instance_id")
    action = request.action()
    if action in (*RESETS, *MANAGED) and not request.caller.is_admin:
        raise Forbidden(f"Only administrators may ask for '{action}'.")
    return _acted(request, instance, action)


@routes.on("POST /mgmt/instances/{instance_id}/action")
def manage_instance(request: Request) -> Response:
    """Trove's, and ours: `{"perform": {"name": …, "commands": […]}}` runs commands; the job keeps their output."""
    instance = request.find(Instance, "instance_id")
    action = request.action()
    if action != "perform":
        return _acted(request, instance, action)
    fields = Fields(request.body, "body").object("perform")
    change = parse_commands(fields, instance.cluster_id, instance.instance_id)
    placed = place_change(change, request.requester_for(instance))
    return told(placed.job, {"job": job_view(placed.job)})


def _resize(fields: Fields, instance: Instance, by: Requester) -> Placed:
    if fields.has("flavorRef") or fields.has("flavor"):
        raise NotOffered("A resize to another flavor is not offered yet.")
    return place_new_size(instance.cluster_id, instance.instance_id, read_new_size(fields), by)


def _acted(request: Request, instance: Instance, action: str) -> Response:
    by = request.requester_for(instance)
    if action in TO_COME:
        raise NotOffered(f"'{action}' is not offered yet.")
    if action == "resize":
        return accepted(_resize(Fields(request.body, "body").object("resize"), instance, by).job)
    if places := ACTIONS.get(action) or MANAGED.get(action):
        return accepted(places(instance, by).job)
    if action not in RESETS:
        raise BadRequest(f"Validation error: body['{action}'] is not an action of instances")
    tried(lambda: reset(instance.cluster_id, by.user))
    return Response("", status_code=202)
