"""/instances/{id}/log: what a server writes of itself: shown, switched, published; ours: last lines and files."""

from collections.abc import Sequence
from typing import Any

from chalice.app import Response

from chalicelib.api.answering import done
from chalicelib.api.guests import read
from chalicelib.api.pages import page
from chalicelib.api.request import Request
from chalicelib.api.routes import Routes
from chalicelib.api.views.links import View
from chalicelib.api.views.logs import log_view
from chalicelib.datastores import manager_of
from chalicelib.datastores.logs import Log, log_named
from chalicelib.errors import BadRequest, Forbidden
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.orders.fields import Fields
from chalicelib.orders.logs import place_log_change, read_acts

routes = Routes(__name__)

LOGS = "/instances/{instance_id}/log"
LINES = 50
MOST_LINES = 1_000


@routes.on(f"GET {LOGS}")
def list_logs(request: Request) -> Response:
    return Response({"logs": [log_view(each) for each in read("logs", request.find(Instance, "instance_id"))]})


@routes.on(f"POST {LOGS}")
def change_log(request: Request) -> Response:
    """Do Trove's `{"name": …, "publish": 1, …}`, and answer how the log then is; with a name alone it is shown."""
    instance = request.find(Instance, "instance_id")
    fields = Fields(request.body, "body")
    log, acts = log_named(logs_of(instance), fields.text("name")), read_acts(fields)
    if not acts:
        return Response({"log": _shown(instance, log)})
    if not request.caller.may_change:
        raise Forbidden("You are not authorized to perform this action.")
    answer = done(place_log_change(instance, log, acts, request.requester_for(instance)).job)
    return Response({"log": _shown(instance, log)}, headers=answer.headers)


@routes.on(f"GET {LOGS}/{{log}}/tail")
def tell_last_lines(request: Request) -> Response:
    instance, log = _named(request)
    lines = read("last_lines", instance, log=log.name, lines=_lines(request))
    return Response({"log": {"name": log.name, "lines": lines}})


@routes.on(f"GET {LOGS}/{{log}}/files")
def list_files(request: Request) -> Response:
    """List what is published, in the order in which it was written; a URL opens its file for a quarter of an hour."""
    instance, log = _named(request)
    limit, marker = request.page()
    files, has_more = read("parts", instance, log=log.name, limit=limit, marker=marker)
    return page(request, "files", files, files[-1]["key"] if has_more else None)


def logs_of(instance: Instance) -> Sequence[Log]:
    return manager_of(Datastore.of_version(instance.datastore_version_id)).logs


def _named(request: Request) -> tuple[Instance, Log]:
    instance = request.find(Instance, "instance_id")
    return instance, log_named(logs_of(instance), request.values["log"])


def _shown(instance: Instance, log: Log) -> View:
    told: list[dict[str, Any]] = read("logs", instance)
    return log_view(next(each for each in told if each["name"] == log.name))


def _lines(request: Request) -> int:
    text = request.query.get("lines", str(LINES))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST_LINES):
        raise BadRequest(f"lines: must be a whole number from 1 to {MOST_LINES}")
    return int(text)
