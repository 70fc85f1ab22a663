"""Schedules over the API: made, shown, changed, paused, deleted, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib import config
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.schedule import WATCHED, Schedule
from tests.api.client import Answer, ApiCaller
from tests.api.served import created
from tests.ledger import Ledger
from tests.simulation.service import Simulation

member, reader, other = ApiCaller(), ApiCaller("reader"), ApiCaller("other", "p2")
admin = ApiCaller("admin", "admin")
NIGHTLY = {"name": "nightly", "cron": "0 2 * * *"}


def ordered(instance_id: str, **more: Any) -> Answer:
    return member.post("/schedules", {"schedule": {**NIGHTLY, "instance": instance_id, **more}})


def made(instance_id: str, **more: Any) -> Any:
    answer = ordered(instance_id, **more)
    assert answer.status == 200, answer.body
    return answer.body["schedule"]


def changed(schedule_id: str, **more: Any) -> Answer:
    return member.send("PATCH", f"/schedules/{schedule_id}", {"schedule": more})


def test_a_schedule_is_made_with_what_it_does_not_say(simulation: Simulation, instance_id: str) -> None:
    schedule = made(instance_id)

    assert schedule["instance_id"] == instance_id
    assert (schedule["cron"], schedule["time_zone"], schedule["window_minutes"]) == ("0 2 * * *", "UTC", 60)
    assert (schedule["full_every"], schedule["retention"], schedule["is_paused"]) == (1, {"count": 7}, False)
    assert schedule["next"].endswith("T02:00:00")
    assert (schedule["overdue"], schedule["message"], schedule["last_backup_id"]) == (False, None, None)
    assert member.get(f"/schedules/{schedule['id']}").body == {"schedule": schedule}
    assert member.get("/schedules").body == {"schedules": [schedule]}
    assert member.get(f"/schedules?instance_id={instance_id}").body == {"schedules": [schedule]}
    assert member.get("/schedules?instance_id=another").body == {"schedules": []}


def test_it_is_made_as_it_says(simulation: Simulation, instance_id: str) -> None:
    rules = {"daily": 7, "weekly": 4, "monthly": 12}
    more = {"time_zone": "Europe/Vienna", "window_minutes": 0, "full_every": 7, "retention": rules}

    assert more.items() <= made(instance_id, cron=" 30  1 * * 1-5 ", **more).items()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"cron": "0 2 * *"}, "cron"),
        ({"cron": "0 25 * * *"}, "cron"),
        ({"cron": "* * * * *"}, "cron"),
        ({"cron": 5}, "cron"),
        ({"cron": None}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"window_minutes": 721}, "window_minutes"),
        ({"full_every": 0}, "full_every"),
        ({"full_every": 31}, "full_every"),
        ({"retention": {}}, "retention"),
        ({"retention": {"count": 0}}, "retention']['count"),
        ({"retention": {"yearly": 1}}, "retention']['yearly"),
        ({"retention": 7}, "retention"),
        ({"name": "!"}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"is_paused": "yes"}, "is_paused"),
        ({"instance": ""}, "instance"),
        ({"parent_id": "b"}, "parent_id"),
    ],
)
def test_what_is_wrong_is_named(simulation: Simulation, instance_id: str, wrong: dict[str, Any], named: str) -> None:
    answer = ordered(instance_id, **wrong)

    assert answer.status == 400
    assert f"schedule['{named}']" in answer.body["badRequest"]["message"]
    assert member.get("/schedules").body == {"schedules": []}


def test_an_engine_without_increments_has_whole_ones_only(simulation: Simulation, ledger: Ledger) -> None:
    redis = created(simulation, datastore={"type": "redis", "version": "7.0"})

    assert "every backup of redis is whole" in ordered(redis, full_every=2).body["badRequest"]["message"]
    made(redis, full_every=1)


def test_a_project_has_so_many_and_no_more(simulation: Simulation, instance_id: str) -> None:
    for _ in range(config.current().dtrove_max_schedules):
        made(instance_id)

    refused = ordered(instance_id)
    assert (refused.status, "schedules" in refused.body["overLimit"]["message"]) == (413, True)


def test_what_is_paused_is_not_looked_at_and_begins_anew(simulation: Simulation, instance_id: str) -> None:
    schedule_id = made(instance_id)["id"]
    assert Schedule.get(schedule_id).watch == WATCHED

    paused = changed(schedule_id, is_paused=True).body["schedule"]
    assert (paused["is_paused"], paused["next"], paused["overdue"]) == (True, None, False)
    assert (Schedule.get(schedule_id).watch, Schedule.get(schedule_id).look_at) == (None, None)

    simulation.pass_time(days=3)
    assert changed(schedule_id, is_paused=False).body["schedule"]["next"]
    record = Schedule.get(schedule_id)
    assert now() < record.next_at <= now() + timedelta(days=1)
    assert record.watch == WATCHED


def test_a_change_leaves_the_rest(simulation: Simulation, instance_id: str) -> None:
    schedule = made(instance_id, retention={"days": 30})

    renamed = changed(schedule["id"], name="weekly", cron="0 3 * * 0").body["schedule"]
    assert (renamed["name"], renamed["cron"], renamed["retention"]) == ("weekly", "0 3 * * 0", {"days": 30})
    assert renamed["next"].endswith("T03:00:00")
    assert changed(schedule["id"], instance="another").status == 400
    assert changed(schedule["id"], cron="never").status == 400
    assert member.get(f"/schedules/{schedule['id']}").body["schedule"] == renamed


def test_only_those_who_may_see_and_change_it(simulation: Simulation, instance_id: str) -> None:
    schedule_id = made(instance_id)["id"]
    path = f"/schedules/{schedule_id}"

    assert reader.get(path).status == 200
    assert reader.delete(path).status == reader.post("/schedules", {"schedule": NIGHTLY}).status == 403
    assert other.get(path).status == other.delete(path).status == 404
    assert other.get("/schedules").body == {"schedules": []}
    assert other.post("/schedules", {"schedule": {**NIGHTLY, "instance": instance_id}}).status == 404
    assert admin.get(path).status == 200
    assert member.delete(path).status == 202
    assert member.get(path).status == member.delete(path).status == 404


def test_the_same_key_makes_one(simulation: Simulation, instance_id: str) -> None:
    body = {"schedule": {**NIGHTLY, "instance": instance_id}}
    first, second = (member.send("POST", "/schedules", body, more={"Idempotency-Key": "k"}) for _ in range(2))

    assert first.body == second.body
    assert len(member.get("/schedules").body["schedules"]) == 1


def test_pages_go_on_by_the_links(simulation: Simulation, instance_id: str) -> None:
    ids = sorted(made(instance_id)["id"] for _ in range(3))

    first = member.get("/schedules?limit=2").body
    assert [each["id"] for each in first["schedules"]] == ids[:2]
    query = first["links"][0]["href"].split("?")[1]
    assert [each["id"] for each in member.get(f"/schedules?{query}").body["schedules"]] == ids[2:]


def test_it_goes_with_its_instance(simulation: Simulation, instance_id: str) -> None:
    gone, stays = made(instance_id)["id"], made(created(simulation, name="db2"))["id"]

    job_id = member.delete(f"/instances/{instance_id}").headers["X-Dtrove-Job-Id"]
    simulation.carry_out(Job.get(job_id))

    assert Instance.find(instance_id) is None
    assert [each["id"] for each in member.get("/schedules").body["schedules"]] == [stays]
    assert member.get(f"/schedules/{gone}").status == 404
