"""Schedules in schemas."""

from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    LINE,
    MOMENT,
    NAME,
    NUMBER,
    REFERENCE,
    TEXT,
    TRUTH,
    YES_OR_NO,
    Schema,
    body,
    maybe,
    page,
    ref,
    shown,
    strict_body,
    whole,
)
from chalicelib.models.backup import LONGEST_CHAIN
from chalicelib.orders.retention import RULES
from chalicelib.orders.schedules import LONGEST_CRON, LONGEST_NAME, LONGEST_WINDOW_MINUTES, LONGEST_ZONE

SCHEDULE: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "project_id": TEXT,
    "instance_id": TEXT,
    "cron": TEXT,
    "time_zone": TEXT,
    "window_minutes": NUMBER,
    "full_every": NUMBER,
    "retention": shown({f"{rule}?": NUMBER for rule in RULES}),
    "is_paused": TRUTH,
    "next": maybe(MOMENT),
    "last_due": maybe(MOMENT),
    "last_backup_id": maybe(TEXT),
    "last_success": maybe(MOMENT),
    "overdue": TRUTH,
    "message": maybe(TEXT),
    "created": MOMENT,
    "updated": MOMENT,
}
CRON = LINE | {
    "maxLength": LONGEST_CRON,
    "description": "Minute, hour, day of the month, month, day of the week.",
    "examples": ["0 2 * * *"],
}
CHANGES: dict[str, Schema] = {
    "name?": NAME | {"maxLength": LONGEST_NAME},
    "cron?": CRON,
    "time_zone?": LINE | {"maxLength": LONGEST_ZONE, "examples": ["Europe/Vienna"]},
    "window_minutes?": whole(0, LONGEST_WINDOW_MINUTES),
    "full_every?": whole(1, LONGEST_CHAIN),
    "retention?": strict_body({f"{rule}?": whole(1, most) for rule, most in RULES.items()}),
    "is_paused?": YES_OR_NO,
}
REQUIRED = {"name": CHANGES["name?"], "cron": CRON, "instance": REFERENCE}
ORDER = strict_body({**REQUIRED, **{key: each for key, each in CHANGES.items() if key.rstrip("?") not in REQUIRED}})
ONE = shown({"schedule": ref("Schedule")})
SCHEDULES = Noun(
    "schedules of backups",
    {
        "GET /schedules": Operation(page("schedules", ref("Schedule")), query=(*PAGED, "instance_id")),
        "POST /schedules": Operation(ONE, body=body({"schedule": ORDER}), may_be_unsupported=True),
        "GET /schedules/{schedule_id}": Operation(ONE),
        "PATCH /schedules/{schedule_id}": Operation(ONE, body=body({"schedule": strict_body(CHANGES)})),
        "DELETE /schedules/{schedule_id}": Operation(status=202),
    },
    {"Schedule": shown(SCHEDULE)},
)
