"""/schedules of backups: ours."""

from chalice.app import Response

from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.schedules import schedule_view
from chalicelib.models.instance import Instance
from chalicelib.models.schedule import Schedule, page_of_schedules
from chalicelib.orders import schedules as orders

routes = Routes(__name__)


@routes.on("GET /schedules")
def list_schedules(request: Request) -> Response:
    schedules, marker = page_of_schedules(request.project_id, *request.page())
    instance_id = request.asked_id("instance_id")
    shown = [schedule_view(each) for each in schedules if instance_id in {None, each.instance_id}]
    return page(request, "schedules", shown, marker)


@routes.on("POST /schedules")
def create_schedule(request: Request) -> Response:
    fields = orders.read_schedule(request.body)
    instance = request.find_id(Instance, fields.reference("instance"))
    return _told(orders.new_schedule(fields, instance, request.requester_for(instance)))


@routes.on("GET /schedules/{schedule_id}")
def show_schedule(request: Request) -> Response:
    return _told(request.find(Schedule, "schedule_id"))


@routes.on("PATCH /schedules/{schedule_id}")
def edit_schedule(request: Request) -> Response:
    schedule = request.find(Schedule, "schedule_id")
    orders.change_schedule(schedule, orders.read_schedule(request.body))
    return _told(schedule)


@routes.on("DELETE /schedules/{schedule_id}")
def delete_schedule(request: Request) -> Response:
    """Forget it. Its backups stay."""
    orders.delete_schedule(request.find(Schedule, "schedule_id"))
    return Response("", status_code=202)


def _told(schedule: Schedule) -> Response:
    return Response({"schedule": schedule_view(schedule)})
