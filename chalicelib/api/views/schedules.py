"""Schedules: our extension of the API."""

from chalicelib.api.views.links import View, when
from chalicelib.models.record import now
from chalicelib.models.schedule import Schedule


def schedule_view(schedule: Schedule) -> View:
    return {
        "id": schedule.schedule_id,
        "name": schedule.name,
        "project_id": schedule.project_id,
        "instance_id": schedule.instance_id,
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
        "window_minutes": int(schedule.window_minutes),
        "full_every": int(schedule.full_every),
        "retention": schedule.retention,
        "is_paused": schedule.is_paused,
        "next": when(schedule.next_at),
        "last_due": when(schedule.last_due_at),
        "last_backup_id": schedule.last_backup_id,
        "last_success": when(schedule.last_success_at),
        "overdue": schedule.is_overdue(now()),
        "message": schedule.message,
        "created": when(schedule.created_at),
        "updated": when(schedule.updated_at),
    }
