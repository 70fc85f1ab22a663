"""/mgmt/instances/{id}/…: what administrators ask of its server, over SSH as there is no agent, and of its past."""

from chalice.app import Response

from chalicelib.api.guests import ask
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.links import when
from chalicelib.errors import NotOffered
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance

routes = Routes(__name__)

INSTANCE = "/mgmt/instances/{instance_id}"


@routes.on(f"GET {INSTANCE}/root")
def tell_root_history(request: Request) -> Response:
    """Tell when root was let in last, and by whom: at birth, or by who enabled it since."""
    instance = request.find(Instance, "instance_id")
    cluster = Cluster.find(instance.cluster_id)
    enabled_at, by = (cluster.root_enabled_at, cluster.root_enabled_by) if cluster else (None, None)
    history = {"id": instance.instance_id, "enabled": when(enabled_at) or "Never", "user": by or "Nobody"}
    return Response({"root_history": history})


@routes.on(f"GET {INSTANCE}/hwinfo")
def tell_hardware(request: Request) -> Response:
    return Response({"hwinfo": ask("hardware", request.find(Instance, "instance_id"))})


@routes.on(f"GET {INSTANCE}/diagnostics")
def tell_diagnostics(request: Request) -> Response:
    return Response({"diagnostics": ask("diagnostics", request.find(Instance, "instance_id"))})


@routes.on(f"GET {INSTANCE}/rpc_ping")
def ping(request: Request) -> Response:
    """204 if its guest lets us in."""
    ask("ping", request.find(Instance, "instance_id"))
    return Response("", status_code=204)


@routes.on(f"POST {INSTANCE}/upgrade")
def upgrade_agent(request: Request) -> Response:
    request.find(Instance, "instance_id")
    raise NotOffered("There is no guest agent that could be upgraded: all work on a guest is done over SSH.")
