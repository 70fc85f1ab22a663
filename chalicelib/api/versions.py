"""/ and /v1.0: which versions of the API there are. Nobody need say who they are."""

from chalice.app import Blueprint, Response

from chalicelib.api.request import base_url

routes = Blueprint(__name__)


@routes.route("/", methods=["GET"])
def list_versions() -> Response:
    return Response({"versions": [_version()]})


@routes.route("/v1.0", methods=["GET"])
def show_version() -> Response:
    return _document()


@routes.route("/v1.0/{project_id}", methods=["GET"])
def show_version_of_endpoint(project_id: str) -> Response:
    """A project's endpoint: openstacksdk asks it for its version when no catalog names it."""
    return _document()


@routes.route("/healthcheck", methods=["GET"])
def tell_health() -> Response:
    return Response("OK", headers={"Content-Type": "text/plain"})


def _document() -> Response:
    return Response({"version": _version()})


def _version() -> dict[str, object]:
    href = base_url(routes.current_request) + "/v1.0/"
    links = [{"rel": "self", "href": href}]
    return {"id": "v1.0", "status": "CURRENT", "updated": "2012-08-01T00:00:00Z", "links": links}
