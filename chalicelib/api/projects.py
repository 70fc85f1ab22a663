"""/projects: which project a name stands for. Stock clients ask it before quotas, of what they take for the identity.

With a catalog that is Keystone. Without one it is the endpoint that they were given: this service.
"""

from chalice.app import Response

from chalicelib.api.auth import identity
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.links import View
from chalicelib.errors import NotFound

routes = Routes(__name__)


@routes.on("GET /projects")
def list_projects(request: Request) -> Response:
    """List those that the caller may know, or that of `?name=`."""
    name = request.query.get("name")
    return Response({"projects": [_view(each) for each in sorted(_known(request)) if name in {None, each}]})


@routes.on("GET /projects/{known_project_id}")
def show_project(request: Request) -> Response:
    project_id = request.values["known_project_id"]
    if project_id not in _known(request):
        raise NotFound(f"Project {project_id} cannot be found.")
    return Response({"project": _view(project_id)})


def _known(request: Request) -> frozenset[str]:
    """Return one's own, and for an administrator all that there are tokens of."""
    others = identity().projects if request.caller.is_admin else frozenset()
    return others | {str(request.caller.project_id)}


def _view(project_id: str) -> View:
    return {"id": project_id, "name": project_id, "enabled": True}
