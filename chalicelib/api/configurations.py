"""/configurations and what may be set of a datastore version."""

from chalice.app import Response

from chalicelib.api.answering import done
from chalicelib.api.catalog import version_of
from chalicelib.api.guests import read
from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.configurations import configuration_detail, configuration_view, parameter_view
from chalicelib.datastores.parameters import Parameter, drift
from chalicelib.errors import NotFound
from chalicelib.jobs.beginnings import launch
from chalicelib.models.configuration import Configuration, page_of_configurations
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance, page_of_attached
from chalicelib.orders import configurations as orders
from chalicelib.orders.fields import Fields

routes = Routes(__name__)


@routes.on("GET /configurations")
def list_configurations(request: Request) -> Response:
    configurations, marker = page_of_configurations(request.project_id, *request.page())
    return page(request, "configurations", [configuration_view(each) for each in configurations], marker)


@routes.on("POST /configurations")
def create_configuration(request: Request) -> Response:
    configuration = orders.new_configuration(_fields(request), request.requester)
    return Response({"configuration": configuration_detail(configuration, 0)})


@routes.on("GET /configurations/{configuration_id}")
def show_configuration(request: Request) -> Response:
    configuration = request.find(Configuration, "configuration_id")
    attached, _ = page_of_attached(configuration.configuration_id, orders.MOST_ATTACHED, None)
    return Response({"configuration": configuration_detail(configuration, len(attached))})


@routes.on("GET /configurations/{configuration_id}/instances")
def list_attached(request: Request) -> Response:
    configuration = request.find(Configuration, "configuration_id")
    instances, marker = page_of_attached(configuration.configuration_id, *request.page())
    return page(request, "instances", [{"id": each.instance_id, "name": each.name} for each in instances], marker)


@routes.on("PUT /configurations/{configuration_id}")
def replace_configuration(request: Request) -> Response:
    return _changed(request, merged=False, status=202)


@routes.on("PATCH /configurations/{configuration_id}")
def edit_configuration(request: Request) -> Response:
    return _changed(request, merged=True, status=200)


def _changed(request: Request, *, merged: bool, status: int) -> Response:
    """Change it, launch what brings it to instances; of a single job the outcome is waited for, and told."""
    configuration = request.find(Configuration, "configuration_id")
    by = request.requester_for(configuration)
    placed = orders.change_configuration(configuration, _fields(request), by, merged=merged)
    if len(placed) == 1:
        return Response("", status_code=status, headers=done(placed[0].job).headers)
    for each in placed:
        launch(each.job)
    return Response("", status_code=status)


@routes.on("DELETE /configurations/{configuration_id}")
def delete_configuration(request: Request) -> Response:
    orders.delete_configuration(request.find(Configuration, "configuration_id"))
    return Response("", status_code=202)


@routes.on("GET /instances/{instance_id}/configuration")
def show_configuration_of_instance(request: Request) -> Response:
    """Show each parameter's present value, and where it is not what the instance's group says."""
    instance = request.find(Instance, "instance_id")
    actual = read("parameters", instance)
    group = Configuration.find(instance.configuration_id) if instance.configuration_id else None
    parameters = orders.parameters_of(Datastore.of_version(instance.datastore_version_id)) if group else {}
    found = drift(group.values, actual, parameters) if group else []
    waiting = instance.waiting_parameters or set()
    drifted = [
        {"name": name, "wanted": wanted, "actual": present, "waits_for_restart": name in waiting}
        for name, wanted, present in found
    ]
    return Response({"instance": {"configuration": actual, "drift": drifted}})


# --- what may be set
@routes.on("GET /datastores/{datastore}/versions/{version}/parameters")
@routes.on("GET /datastores/versions/{version}/parameters")
def list_parameters(request: Request) -> Response:
    datastore = version_of(request)
    parameters = orders.parameters_of(datastore).values()
    shown = [parameter_view(each, datastore.version_id) for each in parameters]
    return Response({"configuration-parameters": shown})


@routes.on("GET /datastores/{datastore}/versions/{version}/parameters/{parameter}")
@routes.on("GET /datastores/versions/{version}/parameters/{parameter}")
def show_parameter(request: Request) -> Response:
    datastore = version_of(request)
    return Response(parameter_view(parameter_of(request, datastore), datastore.version_id))


def parameter_of(request: Request, datastore: Datastore) -> Parameter:
    """Return the parameter that the path names. Raises NotFound, NotOffered."""
    name = request.values["parameter"]
    if parameter := orders.parameters_of(datastore).get(name):
        return parameter
    raise NotFound(f"The configuration parameter {name} is not supported for this datastore.")


def _fields(request: Request) -> Fields:
    return Fields.of_body(request.body, "configuration")
