"""Logs of instances in schemas."""

from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    MOMENT,
    NUMBER,
    TEXT,
    YES_OR_NO,
    data,
    listed,
    maybe,
    one_of,
    page,
    ref,
    shown,
    strict_body,
)
from chalicelib.orders.logs import ACTS

LOG = {
    "name": TEXT,
    "type": one_of(["USER", "SYS"]),
    "status": one_of(["Disabled", "Enabled", "Ready", "Partial", "Published", "Rotated", "Unavailable"]),
    "published": NUMBER,
    "pending": NUMBER,
    "container": TEXT,
    "prefix": TEXT,
    "metafile": maybe(TEXT),
}
FILE = {"key": TEXT, "bytes": NUMBER, "published": MOMENT, "url": TEXT}
CHANGE = strict_body({"name": data(), **{f"{each}?": YES_OR_NO for each in ACTS}})
LOGS = Noun(
    "logs",
    {
        "GET /instances/{instance_id}/log": Operation(shown({"logs": listed(ref("Log"))}), asks_guest=True),
        "POST /instances/{instance_id}/log": Operation(
            shown({"log": ref("Log")}), body=CHANGE, starts_job=True, asks_guest=True, name="change_log"
        ),
        "GET /instances/{instance_id}/log/{log}/tail": Operation(
            shown({"log": shown({"name": TEXT, "lines": listed(TEXT)})}),
            query=("lines",),
            asks_guest=True,
            name="tell_last_lines",
        ),
        "GET /instances/{instance_id}/log/{log}/files": Operation(
            page("files", shown(FILE)), query=PAGED, asks_guest=True, name="list_log_files"
        ),
    },
    {"Log": shown(LOG)},
)
