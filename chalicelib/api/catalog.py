"""/v1.0/{project_id}/datastores, /flavors, /limits: what is on offer."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

from chalice.app import Response

from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.throttle import left_of, limit_of
from chalicelib.api.views.catalog import datastore_view, flavor_view, version_view, volume_type_view
from chalicelib.api.views.links import View, when
from chalicelib.errors import NotFound
from chalicelib.jobs.quota import limits_of, use_of
from chalicelib.models.datastore import Datastore
from chalicelib.models.flavor import Flavor
from chalicelib.models.record import now
from chalicelib.models.volume_type import VolumeType

routes = Routes(__name__)

VERBS = {"reads": ("GET",), "writes": ("POST", "PUT", "PATCH", "DELETE")}


@routes.on("GET /datastores")
def list_datastores(request: Request) -> Response:
    groups = groupby(_offered(request), key=attrgetter("datastore"))
    return Response({"datastores": [datastore_view(request, list(versions)) for _, versions in groups]})


@routes.on("GET /datastores/{datastore}")
def show_datastore(request: Request) -> Response:
    return Response({"datastore": datastore_view(request, _versions(request))})


@routes.on("GET /datastores/{datastore}/versions")
def list_versions(request: Request) -> Response:
    return Response({"versions": [version_view(request, each) for each in _versions(request)]})


@routes.on("GET /datastores/{datastore}/versions/{version}")
def show_version(request: Request) -> Response:
    return Response({"version": version_view(request, version_of(request))})


@routes.on("GET /datastores/versions/{version}")
def show_version_by_id(request: Request) -> Response:
    """Show one by its id: Trove's short form, whose datastore is left out."""
    return show_version(request)


@routes.on("GET /datastores/{datastore}/versions/{version}/flavors")
def list_version_flavors(request: Request) -> Response:
    show_version(request)
    return list_flavors(request)


@routes.on("GET /datastores/{datastore}/versions/{version}/volume-types")
def list_version_volume_types(request: Request) -> Response:
    show_version(request)
    types = [each for each in VolumeType.all() if each.is_public or request.caller.is_admin]
    return Response({"volume_types": [volume_type_view(each) for each in types]})


@routes.on("GET /flavors")
def list_flavors(request: Request) -> Response:
    return Response({"flavors": [flavor_view(request, each) for each in Flavor.all()]})


@routes.on("GET /flavors/{flavor_id}")
def show_flavor(request: Request) -> Response:
    for each in Flavor.all():
        if each.flavor_id == request.values["flavor_id"]:
            return Response({"flavor": flavor_view(request, each)})
    raise NotFound(f"Flavor {request.values['flavor_id']} cannot be found.")


@routes.on("GET /limits")
def list_limits(request: Request) -> Response:
    """The first element is ABSOLUTE: clients take it off unread."""
    limits = limits_of(use_of(request.project_id))
    absolute = {
        "verb": "ABSOLUTE",
        "max_instances": limits.instances,
        "max_volumes": limits.volumes_gib,
        "max_backups": limits.backups,
        "max_ram": -1,
    }
    return Response({"limits": [absolute, *_rates(request)]})


def _rates(request: Request) -> Iterator[View]:
    """Yield what is left of this minute, for each verb; those that change things share one count."""
    next_minute = now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    for kind, verbs in VERBS.items():
        if (limit := limit_of(kind)) >= 0:
            left = left_of(str(request.caller.project_id), kind)
            line = {"unit": "MINUTE", "uri": "*", "regex": ".*", "value": limit, "remaining": left}
            yield from ({**line, "verb": verb, "nextAvailable": when(next_minute)} for verb in verbs)


def version_of(request: Request) -> Datastore:
    """Return the version that the path names: of a datastore by id or name, or of any by its id. Raises NotFound."""
    wanted = request.values["version"]
    in_datastore = "datastore" in request.values
    for each in _versions(request) if in_datastore else _offered(request):
        if wanted == each.version_id or (in_datastore and wanted == each.version):
            return each
    raise NotFound(f"Datastore version '{wanted}' cannot be found.")


def _offered(request: Request) -> list[Datastore]:
    return [each for each in Datastore.all() if each.is_active or request.caller.is_admin]


def _versions(request: Request) -> list[Datastore]:
    wanted = request.values["datastore"]
    if versions := [each for each in _offered(request) if wanted in {each.datastore, each.datastore_id}]:
        return versions
    raise NotFound(f"Datastore '{wanted}' cannot be found.")
