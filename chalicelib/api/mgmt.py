"""/mgmt: what administrators see of all projects, and the quotas of each."""

from chalice.app import Response

from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.clusters import cluster_view
from chalicelib.api.views.instances import instance_detail, instance_view
from chalicelib.api.views.links import View
from chalicelib.api.views.managed import managed_detail, managed_view
from chalicelib.errors import BadRequest, Forbidden, NotFound
from chalicelib.jobs.quota import limits_of, set_limits, use_of
from chalicelib.jobs.reset import reset
from chalicelib.models.cluster import Cluster, every_cluster, page_of_clusters
from chalicelib.models.instance import Instance, every_instance, page_of_instances
from chalicelib.orders.fields import Fields
from chalicelib.orders.placing import tried

routes = Routes(__name__)

MOST_LISTED = 100  # records that DynamoDB reads in one batch
COUNTED = ("instances", "volumes", "backups")
MOST_QUOTA = 1_000_000


@routes.on("GET /mgmt/instances")
def list_all_instances(request: Request) -> Response:
    """List those of all projects, or of `?project_id=`; members of clusters with `?include_clustered=true`."""
    limit, marker = request.page(MOST_LISTED)
    if _of_the_deleted(request):
        return page(request, "instances", [], None)
    if project_id := request.asked_id("project_id"):
        instances, marker = page_of_instances(project_id, limit, marker, with_members=request.with_members)
    else:
        instances, marker = every_instance(limit, marker)
        instances = [each for each in instances if request.with_members or each.standalone_in]
    return page(request, "instances", [instance_view(request, each) | managed_view(each) for each in instances], marker)


@routes.on("GET /mgmt/instances/{instance_id}")
def show_any_instance(request: Request) -> Response:
    instance = request.find(Instance, "instance_id")
    if _of_the_deleted(request):
        raise NotFound(f"Resource {instance.instance_id} cannot be found.")
    cluster = Cluster.find(instance.cluster_id)
    view = instance_detail(request, instance, cluster if instance.standalone_in else None)
    return Response({"instance": view | managed_detail(instance, cluster)})


def _of_the_deleted(request: Request) -> bool:
    """Whether only those are asked for whose records are kept though they are deleted: here there are none."""
    return request.query.get("deleted", "").lower() in {"true", "1"}


@routes.on("GET /mgmt/clusters")
def list_all_clusters(request: Request) -> Response:
    limit, marker = request.page(MOST_LISTED)
    if _of_the_deleted(request):
        return page(request, "clusters", [], None)
    if project_id := request.asked_id("project_id"):
        clusters, marker = page_of_clusters(project_id, limit, marker)
    else:
        clusters, marker = every_cluster(limit, marker)
    views = [cluster_view(request, each) | _managed_cluster(each) for each in clusters if each.listed_in]
    return page(request, "clusters", views, marker)


@routes.on("GET /mgmt/clusters/{cluster_id}")
def show_any_cluster(request: Request) -> Response:
    cluster = request.find(Cluster, "cluster_id")
    return Response({"cluster": cluster_view(request, cluster, cluster.instances()) | _managed_cluster(cluster)})


def _managed_cluster(cluster: Cluster) -> View:
    return {"tenant_id": cluster.project_id, "deleted": False, "deleted_at": None}


@routes.on("POST /mgmt/clusters/{cluster_id}/action")
def manage_cluster(request: Request) -> Response:
    cluster = request.find(Cluster, "cluster_id")
    if (action := request.action()) != "reset-task":
        raise BadRequest(f"Validation error: body['{action}'] is not an action of clusters for administrators")
    tried(lambda: reset(cluster.cluster_id, request.caller.user))
    return Response("", status_code=202)


@routes.on("GET /mgmt/quotas/{quota_project_id}")
def show_quotas(request: Request) -> Response:
    project_id = request.values["quota_project_id"]
    if project_id != request.caller.project_id and not request.caller.is_admin:
        raise Forbidden("Only administrators may see the quotas of another project.")
    use = use_of(project_id)
    limits = limits_of(use)
    lines = [
        ("instances", int(use.instances), limits.instances),
        ("volumes", int(use.volumes_gib), limits.volumes_gib),
        ("backups", int(use.backups), limits.backups),
        ("ram", 0, -1),
    ]
    quotas = [{"resource": name, "in_use": used, "reserved": 0, "limit": limit} for name, used, limit in lines]
    return Response({"quotas": quotas})


@routes.on("PUT /mgmt/quotas/{quota_project_id}")
def set_quotas(request: Request) -> Response:
    """Set what is given of `{"quotas": {"instances": …, "volumes": …, "backups": …}}`; -1 is no limit."""
    fields = Fields.of_body(request.body, "quotas")
    fields.only(*COUNTED)
    given = {key: fields.whole(key, least=-1, most=MOST_QUOTA) for key in COUNTED if key in fields}
    set_limits(request.values["quota_project_id"], *(given.get(key) for key in COUNTED))
    return Response({"quotas": given})
