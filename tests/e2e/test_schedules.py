"""A schedule on a real guest: its time comes, its backup is taken; at the next the one before goes."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.models.schedule import Schedule
from local.api import Api
from local.service import STACK, Service
from tests.clients.stock import Stock
from tests.e2e.guide import active, completed, eventually, gone

pytestmark = pytest.mark.guests


def have_passed(running: Service, schedule_id: str, *names: str) -> None:
    """Let these moments of the schedule's be past: nobody waits until two o'clock. Then let a tick come."""
    past = {"S": Schedule.look_at.serialize(datetime.now(UTC) - timedelta(minutes=1))}
    running.aws.client("dynamodb").update_item(
        TableName=f"{STACK}-schedules",
        Key={"schedule_id": {"S": schedule_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :past" for name in names),
        ExpressionAttributeValues={":past": past},
    )
    tick(running)


def tick(running: Service) -> None:
    resource = running.aws.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="Scheduler"
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    answer = running.aws.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer


def test_a_schedule_takes_its_backups_and_keeps_the_newest(running: Service, api: Api, member: Stock) -> None:
    on = ("--datastore", "redis", "--datastore-version", "7.0")
    member.shown("database", "instance", "create", "night", "--flavor", "1", "--size", "1", *on)
    instance_id = active(member, "night")["id"]
    order = {"name": "nightly", "instance": instance_id, "cron": "0 0 29 2 *", "window_minutes": 0}
    path = f"/schedules/{api.post('/schedules', {'schedule': order | {'retention': {'count': 1}}})['schedule']['id']}"
    schedule_id = path.rpartition("/")[2]

    taken = []
    for _ in range(2):
        have_passed(running, schedule_id, "next_at", "look_at")
        taken.append(api.get(path)["schedule"]["last_backup_id"])
        completed(member, taken[-1])
        have_passed(running, schedule_id, "look_at")

    listed = f"/backups?instance_id={instance_id}"
    eventually(lambda: [each["id"] for each in api.get(listed)["backups"]], taken[1:])
    assert api.get(path)["schedule"]["last_success"] is not None
    assert [each["ID"] for each in member.shown("database", "backup", "list")] == taken[1:]
    member("database", "instance", "delete", "night")
    gone(member, "night")
    assert api.get("/schedules") == {"schedules": []}
    member("database", "backup", "delete", taken[1])
