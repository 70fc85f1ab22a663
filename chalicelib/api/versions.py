"""/ and /v1.0: which versions of the API there are, and what this one offers. Nobody need say who they are."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalice.app import Blueprint, Response

from chalicelib.api.request import base_url
from chalicelib.api.routes import id_of

routes = Blueprint(__name__)


def on(path: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a view for whoever asks: it returns the body."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answer(**path_values: str) -> Response:
            response = Response(view(**path_values))
            response.headers["x-openstack-request-id"] = id_of(routes.current_request)
            if isinstance(response.body, str):
                response.headers["Content-Type"] = "text/plain"
            return response

        routes.route(path, methods=["GET"])(answer)
        return answer

    return decorate


@on("/")
def list_versions() -> dict[str, Any]:
    return {"versions": [_version()]}


@on("/v1.0")
def show_version() -> dict[str, Any]:
    return {"version": _version()}


@on("/v1.0/{project_id}")
def show_version_of_endpoint(project_id: str) -> dict[str, Any]:
    """A project's endpoint: openstacksdk asks it for its version when no catalog names it."""
    return {"version": _version()}


@on("/v1.0/openapi.json")
def show_document() -> dict[str, Any]:
    """All that is offered, as OpenAPI."""
    from chalicelib.api.openapi.document import document  # noqa: PLC0415 - who does not ask for it starts without it

    return document(routes.current_app, base_url(routes.current_request))


@on("/healthcheck")
def tell_health() -> str:
    return "OK"


def _version() -> dict[str, Any]:
    href = base_url(routes.current_request) + "/v1.0/"
    links = [{"rel": "self", "href": href}]
    return {"id": "v1.0", "status": "CURRENT", "updated": "2012-08-01T00:00:00Z", "links": links}
