"""/instances/{id}/root and /clusters/{id}/root: the account that may do everything."""

from typing import TYPE_CHECKING

from chalice.app import Response

from chalicelib.api.answering import done
from chalicelib.api.guests import read
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.datastores import manager_of
from chalicelib.datastores.accounts import User
from chalicelib.datastores.wishes import Wish
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.orders.fields import Fields
from chalicelib.orders.wishes import place_wish

if TYPE_CHECKING:
    from chalicelib.datastores.base import BaseManager

routes = Routes(__name__)

NOBODY = "nobody"  # a name that every datastore allows: only the password is to be checked


@routes.on("GET /instances/{instance_id}/root")
@routes.on("GET /clusters/{cluster_id}/root")
def tell_root(request: Request) -> Response:
    return Response({"rootEnabled": read("root", _instance(request))})


@routes.on("POST /instances/{instance_id}/root")
@routes.on("POST /clusters/{cluster_id}/root")
def enable_root(request: Request) -> Response:
    """Let root in with a new password, drawn or given; it is told this once."""
    instance = _instance(request)
    manager = _manager_of(instance)
    fields = Fields(request.body if request.raw_body.strip() else {}, "body")
    password = fields.data("password") if "password" in fields else request.attempt.draw("root")
    manager.accounts.check_user(User(NOBODY, password=password))
    wish, by = Wish("enable_root", password=password), request.requester_for(instance)
    answer = done(place_wish(wish, instance, manager.accounts, by).job)
    return Response({"user": {"name": manager.root_name, "password": password}}, headers=answer.headers)


@routes.on("DELETE /instances/{instance_id}/root")
@routes.on("DELETE /clusters/{cluster_id}/root")
def disable_root(request: Request) -> Response:
    instance = _instance(request)
    by = request.requester_for(instance)
    answer = done(place_wish(Wish("disable_root"), instance, _manager_of(instance).accounts, by).job)
    return Response("", status_code=204, headers=answer.headers)


def _manager_of(instance: Instance) -> "BaseManager":
    return manager_of(Datastore.of_version(instance.datastore_version_id))


def _instance(request: Request) -> Instance:
    """Return the instance that the path names, or the primary of the cluster that it names."""
    if "instance_id" in request.values:
        return request.find(Instance, "instance_id")
    cluster = request.find(Cluster, "cluster_id")
    return request.find_id(Instance, str(cluster.primary_id))
