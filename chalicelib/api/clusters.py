"""/v1.0/{project_id}/clusters: create, list, show, change and delete database clusters."""

from chalice.app import Response

from chalicelib.api.answering import accepted, told
from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.clusters import cluster_view
from chalicelib.api.views.instances import instance_detail
from chalicelib.api.views.jobs import job_view
from chalicelib.errors import BadRequest, Forbidden, NotFound, NotOffered
from chalicelib.jobs.reset import reset
from chalicelib.models.cluster import Cluster, page_of_clusters
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.orders.configurations import place_configuration
from chalicelib.orders.fields import Fields
from chalicelib.orders.order import Change, ClusterOrder, parse_grow
from chalicelib.orders.placing import Placed, place_change, place_cluster, place_instances, tried
from chalicelib.orders.requester import Requester

routes = Routes(__name__)

PLAIN = {"restart": "restart_cluster", "stop": "stop_cluster", "start": "start_cluster", "rotate_key": "rotate_key"}
LATER = {"upgrade", "add_shard"}
ATTACH, DETACH = "configuration_attach", "configuration_detach"


@routes.on("POST /clusters")
def create_cluster(request: Request) -> Response:
    order = ClusterOrder.parse(request.body)
    placed = place_cluster(order, request.requester)
    view = cluster_view(request, placed.cluster, placed.instances)
    body = {"cluster": {**view, "password": placed.root_password, "job_id": placed.job.job_id}}
    return told(placed.job, body)


@routes.on("GET /clusters")
def list_clusters(request: Request) -> Response:
    clusters, marker = page_of_clusters(request.project_id, *request.page())
    return page(request, "clusters", [cluster_view(request, each) for each in clusters], marker)


@routes.on("GET /clusters/{cluster_id}")
def show_cluster(request: Request) -> Response:
    cluster = request.find(Cluster, "cluster_id")
    return Response({"cluster": cluster_view(request, cluster, cluster.instances())})


@routes.on("GET /clusters/{cluster_id}/instances/{instance_id}")
def show_member(request: Request) -> Response:
    instance = request.find(Instance, "instance_id")
    if instance.cluster_id != request.values["cluster_id"]:
        raise NotFound(f"Resource {instance.instance_id} cannot be found.")
    return Response({"instance": instance_detail(request, instance)})


@routes.on("DELETE /clusters/{cluster_id}")
def delete_cluster(request: Request) -> Response:
    cluster = request.find(Cluster, "cluster_id")
    change = Change("delete_cluster", cluster.cluster_id)
    return accepted(place_change(change, request.requester_for(cluster), cluster).job)


@routes.on("POST /clusters/{cluster_id}")
def act_on_cluster(request: Request) -> Response:
    """Carry out exactly one action, as Trove names them."""
    cluster = request.find(Cluster, "cluster_id")
    if (action := request.action()) == "reset-status":
        return _reset(request, cluster)
    fields = Fields(request.body, "body")
    if action in {ATTACH, DETACH}:
        placed = _configured(request, cluster, fields.object(action) if action == ATTACH else None)
    else:
        placed = _place(action, fields, cluster, request.requester_for(cluster))
    view = cluster_view(request, placed.cluster, placed.instances)
    return told(placed.job, {"cluster": view, "job": job_view(placed.job)}, 202)


def _configured(request: Request, cluster: Cluster, fields: Fields | None) -> Placed:
    """Give all members the group that is named, or take theirs away."""
    group = request.find_id(Configuration, fields.reference("configuration_id")) if fields else None
    by = request.requester_for(cluster)
    return place_configuration(group, cluster.cluster_id, cluster.instance_ids, by, cluster)


def _reset(request: Request, cluster: Cluster) -> Response:
    if not request.caller.is_admin:
        raise Forbidden("Only administrators may reset the status of a cluster.")
    tried(lambda: reset(cluster.cluster_id, request.caller.user))
    return Response("", status_code=202)


def _place(action: str, fields: Fields, cluster: Cluster, by: Requester) -> Placed:
    if action == "grow":
        return place_instances(cluster.cluster_id, parse_grow(fields), by, cluster)
    if action == "shrink":
        leaving = [each.text("id") for each in fields.objects("shrink")]
        return place_change(Change("remove_instance", cluster.cluster_id, leaving), by, cluster)
    if action in PLAIN:
        return place_change(Change(PLAIN[action], cluster.cluster_id), by, cluster)
    if action in LATER:
        raise NotOffered(f"'{action}' is not offered yet.")
    raise BadRequest(f"Validation error: body['{action}'] is not an action of clusters")
