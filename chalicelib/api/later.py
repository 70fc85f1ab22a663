"""What Trove has and this service does not have yet: 501 in Trove's envelope, said as plainly as possible."""

from chalice.app import Response

from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.errors import NotOffered

routes = Routes(__name__)

TO_COME: dict[str, tuple[str, ...]] = {
    "Backup strategies": (
        "GET /backup_strategies",
        "POST /backup_strategies",
        "DELETE /backup_strategies",
    ),
    "SSL settings": ("GET /instances/{instance_id}/ssl", "POST /instances/{instance_id}/ssl"),
    "Modules": (
        "GET /modules",
        "POST /modules",
        "GET /modules/{module_id}",
        "PUT /modules/{module_id}",
        "DELETE /modules/{module_id}",
        "GET /modules/{module_id}/instances",
        "PUT /modules/{module_id}/instances",
        "GET /instances/{instance_id}/modules",
        "POST /instances/{instance_id}/modules",
        "DELETE /instances/{instance_id}/modules/{module_id}",
    ),
}


NOT_OFFERED = {  # what answers nothing but 501
    *(route for routes_ in TO_COME.values() for route in routes_),
    "GET /instances/{instance_id}/databases/{database}",
    "POST /mgmt/instances/{instance_id}/upgrade",
    "POST /mgmt/datastores/versions/{version}/parameters",
    "PUT /mgmt/datastores/versions/{version}/parameters/{parameter}",
    "DELETE /mgmt/datastores/versions/{version}/parameters/{parameter}",
}


def refuse(what: str, route: str) -> None:
    @routes.on(route)
    def refusal(request: Request) -> Response:
        raise NotOffered(f"{what} are not offered yet.")


for _what, _routes in TO_COME.items():
    for _route in _routes:
        refuse(_what, _route)
