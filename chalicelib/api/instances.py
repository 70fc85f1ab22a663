"""/instances: create, list, show, rename, delete. What else may be done to one is in actions.py."""

from chalice.app import Response

from chalicelib.api.answering import accepted, done, told
from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.instances import instance_detail, instance_views
from chalicelib.errors import BadRequest, NotOffered
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance, page_of_instances
from chalicelib.models.job import Job
from chalicelib.orders.access import place_access
from chalicelib.orders.configurations import check_attachable, place_configuration
from chalicelib.orders.fields import Fields
from chalicelib.orders.instance_order import ReplicaOrder, parse_instance
from chalicelib.orders.instances import place_removal, place_replicas, rename
from chalicelib.orders.placing import place_cluster
from chalicelib.orders.whereabouts import Access, read_new_access

routes = Routes(__name__)

TO_COME = ("replica_of", "slave_of", "datastore_version")


@routes.on("POST /instances")
def create_instance(request: Request) -> Response:
    """Create one of its own, or replicas of another: the answer is about the last of those, as in Trove."""
    order = parse_instance(request.body)
    if isinstance(order, ReplicaOrder):
        source = request.find_id(Instance, order.source_id)
        placed = place_replicas(order, source, request.requester_for(source))
    else:
        placed = place_cluster(order, request.requester)
    view = instance_detail(request, placed.instances[-1], placed.cluster) | {"job_id": placed.job.job_id}
    body = {"instance": view | ({"password": placed.root_password} if placed.root_password else {})}
    return told(placed.job, body)


@routes.on("GET /instances")
def list_instances(request: Request) -> Response:
    instances, marker = _page(request)
    return page(request, "instances", instance_views(request, instances), marker)


@routes.on("GET /instances/detail")
def list_instances_in_detail(request: Request) -> Response:
    instances, marker = _page(request)
    lines = zip(instances, instance_views(request, instances), strict=True)
    views = [instance_detail(request, each) | view for each, view in lines]
    return page(request, "instances", views, marker)


@routes.on("GET /instances/{instance_id}")
def show_instance(request: Request) -> Response:
    instance = request.find(Instance, "instance_id")
    cluster = Cluster.find(instance.cluster_id) if instance.standalone_in else None
    group = Configuration.find(instance.configuration_id) if instance.configuration_id else None
    return Response({"instance": instance_detail(request, instance, cluster, group)})


def _page(request: Request) -> tuple[list[Instance], str | None]:
    return page_of_instances(request.project_id, *request.page(), with_members=request.with_members)


@routes.on("DELETE /instances/{instance_id}")
def delete_instance(request: Request) -> Response:
    instance = request.find(Instance, "instance_id")
    return accepted(place_removal(instance, request.requester_for(instance)).job)


@routes.on("PUT /instances/{instance_id}")
@routes.on("PATCH /instances/{instance_id}")
def update_instance(request: Request) -> Response:
    """Rename it, or change one other thing: who may reach it, or its group, which nothing at all takes away too.

    Both at once too: then it has the new name only if the other change may be.
    """
    instance = request.find(Instance, "instance_id")
    fields = Fields.of_body(request.body, "instance")
    wished = _wished(fields)
    group = request.find_id(Configuration, fields.reference("configuration")) if "configuration" in fields else None
    check_attachable(group, instance)
    access = read_new_access(fields) if wished == "access" else None
    name = fields.name("name") if "name" in fields else None
    job = None
    if access is not None:
        job = _reached(request, instance, access)
    elif wished or (instance.configuration_id and not fields.has("name")):
        job = _configured(request, instance, group)
    if name is not None:
        rename(instance, name, under=job)
    return done(job) if job else Response("", status_code=202)


def _wished(fields: Fields) -> str | None:
    """Return the one thing that shall change beside its name, if any shall. Raises BadRequest, NotOffered."""
    fields.only("name", "configuration", "access", *TO_COME)
    wished = [each for each in ("configuration", "access", *TO_COME) if fields.has(each)]
    if len(wished) > 1:
        raise BadRequest(f"Validation error: instance: only one of {', '.join(wished)} can be changed at a time")
    if wished and wished[0] in TO_COME:
        raise NotOffered(f"Changing {wished[0]} is not offered yet.")
    return wished[0] if wished else None


def _reached(request: Request, instance: Instance, access: Access) -> Job:
    by = request.requester_for(instance)
    return place_access(instance.cluster_id, instance.instance_id, access, by).job


def _configured(request: Request, instance: Instance, group: Configuration | None) -> Job:
    """Give it the group; without one, have it as if it had none, whatever a job that failed has left there."""
    by = request.requester_for(instance)
    return place_configuration(group, instance.cluster_id, [instance.instance_id], by).job
