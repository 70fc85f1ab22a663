"""/mgmt/datastore-versions, and the end of a datastore: what is on offer, as administrators set it."""

from chalice.app import Response

from chalicelib.api.catalog import version_of
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.catalog import managed_version_view
from chalicelib.models.datastore import Datastore
from chalicelib.orders.fields import Fields
from chalicelib.orders.offers import change_version, forget_datastore, offer_version, withdraw_version

routes = Routes(__name__)


@routes.on("GET /mgmt/datastore-versions")
def list_all_versions(request: Request) -> Response:
    return Response({"versions": [managed_version_view(each) for each in Datastore.all()]})


@routes.on("GET /mgmt/datastore-versions/{version}")
def show_any_version(request: Request) -> Response:
    return Response({"version": managed_version_view(version_of(request))})


@routes.on("POST /mgmt/datastore-versions")
def create_version(request: Request) -> Response:
    offer_version(Fields.of_body(request.body, "version"), request.attempt)
    return Response("", status_code=202)


@routes.on("PATCH /mgmt/datastore-versions/{version}")
def update_version(request: Request) -> Response:
    """Change what is given; unlike a new version's, the body has no name around it."""
    change_version(version_of(request), Fields(request.body, "body"))
    return Response("", status_code=202)


@routes.on("DELETE /mgmt/datastore-versions/{version}")
def delete_version(request: Request) -> Response:
    withdraw_version(version_of(request))
    return Response("", status_code=202)


@routes.on("DELETE /datastores/{datastore}")
def delete_datastore(request: Request) -> Response:
    forget_datastore(request.values["datastore"])
    return Response("", status_code=202)
