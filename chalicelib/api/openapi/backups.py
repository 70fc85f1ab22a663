"""Backups in schemas."""

from chalicelib.api.openapi.operation import PAGED, Noun, Operation
from chalicelib.api.openapi.shapes import (
    EMPTY,
    LINE,
    MOMENT,
    NAME,
    NUMBER,
    REFERENCE,
    TEXT,
    YES_OR_NO,
    body,
    maybe,
    one_of,
    page,
    ref,
    shown,
    strict_body,
)
from chalicelib.models.backup import BackupStatus
from chalicelib.orders.backups import DRIVERS

BACKUP = {
    "id": TEXT,
    "name": TEXT,
    "description": maybe(TEXT),
    "instance_id": TEXT,
    "parent_id": maybe(TEXT),
    "schedule_id": maybe(TEXT),
    "project_id": TEXT,
    "status": one_of(BackupStatus),
    "size": {"type": "number", "description": "GiB"},
    "locationRef": maybe(TEXT),
    "storage_driver": TEXT,
    "datastore": shown({"type": TEXT, "version": TEXT, "version_id": TEXT}),
    "created": MOMENT,
    "updated": MOMENT,
    "job_id": TEXT,
    "progress": NUMBER | {"description": "Percent."},
    "data_bytes": NUMBER,
    "stored_bytes": NUMBER,
    "server_version": maybe(TEXT),
    "message?": TEXT,
    "mb_per_second?": {"type": "number"},
}
ORDER = strict_body(
    {
        "name": NAME,
        "instance": REFERENCE,
        "description?": LINE,
        "parent_id?": REFERENCE,
        "incremental?": YES_OR_NO,
        "swift_container?": EMPTY,
        "storage_driver?": one_of(DRIVERS),
        "restore_from?": EMPTY,
    }
)
ONE = shown({"backup": ref("Backup")})
MANY = page("backups", ref("Backup"))
BACKUPS = Noun(
    "backups",
    {
        "GET /backups": Operation(MANY, query=(*PAGED, "instance_id", "datastore")),
        "POST /backups": Operation(
            ONE, status=202, body=body({"backup": ORDER}), starts_job=True, may_be_unsupported=True
        ),
        "GET /backups/{backup_id}": Operation(ONE),
        "DELETE /backups/{backup_id}": Operation(status=202),
        "GET /instances/{instance_id}/backups": Operation(MANY, query=PAGED, name="list_backups_of_instance"),
    },
    {"Backup": shown(BACKUP)},
)
