"""/v1.0/{project_id}/instances: list and show; and what administrators may do to one."""

from collections.abc import Callable
from typing import Any

from chalice.app import Response

from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.instances import instance_detail, instance_view
from chalicelib.api.views.jobs import job_view
from chalicelib.errors import BadRequest, NotFound
from chalicelib.jobs.beginnings import launch
from chalicelib.models.instance import Instance, page_of_instances
from chalicelib.orders.fields import Fields
from chalicelib.orders.order import parse_commands
from chalicelib.orders.placing import Requester, place_change

routes = Routes(__name__)

INSTANCES = "/v1.0/{project_id}/instances"
MGMT_ACTION = "/v1.0/{project_id}/mgmt/instances/{instance_id}/action"


@routes.route(INSTANCES, methods=["GET"])
def list_instances(request: Request) -> Response:
    return _listed(request, instance_view)


@routes.route(INSTANCES + "/{instance_id}", methods=["GET"])
def show_instance(request: Request) -> Response:
    if request.values["instance_id"] == "detail":
        return _listed(request, instance_detail)
    instance = Instance.of_project(request.project_id, request.values["instance_id"])
    return Response({"instance": instance_detail(request, instance)})


def _listed(request: Request, view: Callable[[Request, Instance], dict[str, Any]]) -> Response:
    with_members = request.query.get("include_clustered", "").lower() == "true"
    instances, marker = page_of_instances(request.project_id, *request.page(), with_members=with_members)
    return page(request, "instances", [view(request, each) for each in instances], marker)


@routes.route(MGMT_ACTION, methods=["POST"], role="admin")
def perform(request: Request) -> Response:
    """Run an administrator's commands: `{"perform": {"name": …, "commands": […]}}`; the job keeps their output."""
    fields = Fields(request.body, "body")
    if "perform" not in fields:
        raise BadRequest("Validation error: body['perform'] is a required property")
    instance = Instance.find(request.values["instance_id"])
    if instance is None:
        raise NotFound(f"Resource {request.values['instance_id']} cannot be found.")
    change = parse_commands(fields.object("perform"), instance.cluster_id, instance.instance_id)
    placed = place_change(change, Requester(instance.project_id, request.caller.user))
    launch(placed.job)
    return Response({"job": job_view(placed.job)}, status_code=202)
