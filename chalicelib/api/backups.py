"""/backups: Trove's, with what a restore would need to know."""

from chalice.app import Response

from chalicelib.api.answering import told
from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.backups import backup_view
from chalicelib.models.backup import Backup, page_of_backups
from chalicelib.models.instance import Instance
from chalicelib.orders.backups import delete_backup, parse_backup, place_backup

routes = Routes(__name__)


@routes.on("POST /backups")
def create_backup(request: Request) -> Response:
    """Take one of an instance. As in Trove, 202 with what is known of it now."""
    order = parse_backup(request.body)
    instance = request.find_id(Instance, order.instance_id)
    backup, placed = place_backup(order, instance, request.requester_for(instance))
    return told(placed.job, {"backup": backup_view(backup)}, 202)


@routes.on("GET /backups")
def list_backups(request: Request) -> Response:
    return _listed(request, request.project_id, request.asked_id("instance_id"))


@routes.on("GET /instances/{instance_id}/backups")
def list_backups_of_instance(request: Request) -> Response:
    """List them, also of an instance that is gone. Raises NotFound for one of which nothing is known here."""
    instance_id, project_id = request.values["instance_id"], request.project_id
    if Instance.find(instance_id) is not None or not page_of_backups(project_id, 1, None, instance_id)[0]:
        project_id = request.find(Instance, "instance_id").project_id
    return _listed(request, project_id, instance_id)


def _listed(request: Request, project_id: str, instance_id: str | None) -> Response:
    limit, marker = request.page()
    if marker and (last := Backup.find(marker)) is not None:  # Trove's markers are ids
        marker = last.sort_key
    backups, marker = page_of_backups(project_id, limit, marker, instance_id)
    datastore = request.asked_id("datastore")
    shown = [each for each in backups if datastore in {None, each.datastore, each.datastore_version_id}]
    return page(request, "backups", [backup_view(each) for each in shown], marker)


@routes.on("GET /backups/{backup_id}")
def show_backup(request: Request) -> Response:
    return Response({"backup": backup_view(request.find(Backup, "backup_id"))})


@routes.on("DELETE /backups/{backup_id}")
def remove_backup(request: Request) -> Response:
    """Delete it, and all that add to it, as Trove does."""
    delete_backup(request.find(Backup, "backup_id"))
    return Response("", status_code=202)
