"""/mgmt/datastores/versions/{id}/parameters: what may be set, as administrators see it. Nobody writes it here.

Each parameter is a promise that the manager keeps on a real server: the lists are its own data, and change with it.
"""

from chalice.app import Response

from chalicelib.api.catalog import version_of
from chalicelib.api.configurations import parameter_of
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.configurations import managed_parameter_view
from chalicelib.errors import NotOffered
from chalicelib.orders.configurations import parameters_of

routes = Routes(__name__)

PARAMETERS = "/mgmt/datastores/versions/{version}/parameters"


@routes.on(f"GET {PARAMETERS}")
def list_managed_parameters(request: Request) -> Response:
    datastore = version_of(request)
    shown = [managed_parameter_view(each, datastore.version_id) for each in parameters_of(datastore).values()]
    return Response({"configuration-parameters": shown})


@routes.on(f"GET {PARAMETERS}/{{parameter}}")
def show_managed_parameter(request: Request) -> Response:
    datastore = version_of(request)
    return Response(managed_parameter_view(parameter_of(request, datastore), datastore.version_id))


@routes.on(f"POST {PARAMETERS}")
@routes.on(f"PUT {PARAMETERS}/{{parameter}}")
@routes.on(f"DELETE {PARAMETERS}/{{parameter}}")
def change_parameters(request: Request) -> Response:
    name = version_of(request).name
    raise NotOffered(f"What may be set of {name} comes with its manager, in parameters.json: it is not changed here.")
