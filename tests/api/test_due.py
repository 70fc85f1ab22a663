"""The tick, in a simulation: what is due is taken once, whoever is cut or late; what is not kept goes."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.jobs import quota
from chalicelib.metrics import OVERDUE
from chalicelib.models.backup import Backup
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import utc
from chalicelib.models.schedule import Schedule
from chalicelib.models.status import JobStatus, Status
from chalicelib.orders import due, schedules
from chalicelib.orders.expiry import EXPIRE
from chalicelib.orders.times import spread
from chalicelib.stores import store
from tests.api.client import ApiCaller
from tests.api.served import created
from tests.api.test_schedules import changed, made
from tests.ledger import Ledger
from tests.one_at_a_time import one_at_a_time
from tests.simulation.executions import begun
from tests.simulation.service import Simulation
from tests.written import written

member = ApiCaller()
MINUTE = timedelta(minutes=1)


def go_to(simulation: Simulation, moment: datetime) -> None:
    simulation.hours = moment - utc()


def tick() -> int:
    return due.tick(at_once=1)


def carry_out(simulation: Simulation) -> list[Job]:
    """Run all that was begun, and return it."""
    jobs = [each for each in Job.scan() if each.status == JobStatus.RUNNING]
    for each in sorted(jobs, key=lambda job: job.sort_key):
        simulation.carry_out(each)
    return [Job.get(each.job_id) for each in jobs]


def record(schedule_id: str) -> Schedule:
    return Schedule.get(schedule_id)


def shown(schedule_id: str) -> Any:
    return member.get(f"/schedules/{schedule_id}").body["schedule"]


def backups(instance_id: str) -> list[Any]:
    """Return them, the oldest first."""
    found: list[Any] = member.get(f"/backups?instance_id={instance_id}").body["backups"]
    return found[::-1]


def a_night(simulation: Simulation, schedule_id: str, *, is_due: bool = True) -> None:
    """Let it be due, carry its backup out, and hear of that."""
    if is_due:
        go_to(simulation, record(schedule_id).look_at + MINUTE)
    tick()
    carry_out(simulation)
    simulation.pass_time(minutes=11)
    tick()
    carry_out(simulation)


def put(simulation: Simulation, data: bytes) -> None:
    for inside in simulation.guests.insides.values():
        inside.data = data


@pytest.fixture
def schedule_id(simulation: Simulation, instance_id: str) -> str:
    put(simulation, b"rows")
    return str(made(instance_id)["id"])


def test_what_is_due_is_taken_and_no_sooner(simulation: Simulation, instance_id: str, schedule_id: str) -> None:
    at = record(schedule_id).next_at
    begins = at + spread(schedule_id, 60)
    go_to(simulation, begins - MINUTE)
    assert (tick(), backups(instance_id)) == (0, [])

    go_to(simulation, begins + MINUTE)
    assert (tick(), tick()) == (1, 0)

    (backup,) = backups(instance_id)
    assert (backup["name"], backup["schedule_id"]) == (f"nightly {at:%Y-%m-%dT%H:%M}Z", schedule_id)
    (job,) = carry_out(simulation)
    assert (job.workflow, job.requested_by, job.status) == ("create_backup", "schedule", "SUCCEEDED")
    simulation.pass_time(minutes=11)
    assert tick() == 1
    schedule = shown(schedule_id)
    assert (schedule["last_backup_id"], schedule["last_due"]) == (backup["id"], f"{at:%Y-%m-%dT%H:%M:%S}")
    assert schedule["last_success"] == backup["created"]
    assert record(schedule_id).next_at == at + timedelta(days=1)
    assert record(schedule_id).look_at == begins + timedelta(days=1)


def test_after_an_outage_one_is_taken_of_the_newest_time(
    simulation: Simulation, instance_id: str, schedule_id: str
) -> None:
    at = record(schedule_id).next_at
    go_to(simulation, at + timedelta(days=5, hours=10))
    assert shown(schedule_id)["overdue"]

    a_night(simulation, schedule_id, is_due=False)

    (backup,) = backups(instance_id)
    assert backup["name"].endswith(f"{at + timedelta(days=5):%Y-%m-%dT%H:%M}Z")
    assert (shown(schedule_id)["overdue"], record(schedule_id).next_at) == (False, at + timedelta(days=6))


@pytest.mark.parametrize("cut", ["launch", "plan"])
def test_a_tick_that_was_cut_is_made_good_by_the_next(
    simulation: Simulation, instance_id: str, schedule_id: str, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(simulation, record(schedule_id).look_at + MINUTE)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(due, cut, killed)
        with pytest.raises(KeyboardInterrupt):
            tick()
    assert len(backups(instance_id)) == 1
    assert record(schedule_id).last_backup_id is None

    tick()
    (job,) = carry_out(simulation)
    assert job.status == "SUCCEEDED"
    assert [each["id"] for each in backups(instance_id)] == [record(schedule_id).last_backup_id]


def test_two_ticks_at_once_make_one(
    simulation: Simulation, instance_id: str, schedule_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(simulation, record(schedule_id).look_at + MINUTE)
    ticks = list[str]()

    def interrupted(schedule: Schedule, moment: datetime) -> None:
        if not ticks:
            ticks.append("the second")
            assert tick() == 1
        schedules.plan(schedule, moment)

    monkeypatch.setattr(due, "plan", interrupted)
    assert tick() == 0  # the first comes late, and changes nothing

    assert len(backups(instance_id)) == len([each for each in Job.scan() if each.workflow == "create_backup"]) == 1
    assert record(schedule_id).awaits_end


def test_a_busy_cluster_is_waited_for_and_then_the_backup_is_missed(
    simulation: Simulation, instance_id: str, schedule_id: str
) -> None:
    at = record(schedule_id).next_at
    instance = Instance.get(instance_id)
    instance.status = Status.STOPPED
    instance.save()
    go_to(simulation, record(schedule_id).look_at + MINUTE)
    tick()
    assert f"The backup of {at:%Y-%m-%dT%H:%MZ} waits: " in shown(schedule_id)["message"]
    assert "(status was STOPPED)" in shown(schedule_id)["message"]
    assert record(schedule_id).next_at == at
    simulation.pass_time(minutes=1)
    assert tick() == 0  # each two minutes is enough
    go_to(simulation, at + timedelta(hours=4))  # its window, and three hours
    with written() as lines:
        assert tick() == 1
    assert lines.values(OVERDUE.name) == [1]
    assert shown(schedule_id)["message"].startswith(f"There is no backup of {at:%Y-%m-%dT%H:%MZ}: ")
    assert (shown(schedule_id)["overdue"], record(schedule_id).next_at) == (True, at + timedelta(days=1))

    simulation.pass_time(minutes=11)
    with written() as lines:
        tick()
    assert lines.values(OVERDUE.name) == [1]  # as long as it is

    instance.status = Status.ACTIVE
    instance.save()
    go_to(simulation, at + timedelta(days=1, hours=1))
    a_night(simulation, schedule_id, is_due=False)
    assert (shown(schedule_id)["overdue"], shown(schedule_id)["message"]) == (False, None)


def test_what_was_busy_is_taken_as_soon_as_it_is_not(
    simulation: Simulation, instance_id: str, schedule_id: str
) -> None:
    restart = member.post(f"/instances/{instance_id}/action", {"restart": {}}).headers["X-Dtrove-Job-Id"]
    go_to(simulation, record(schedule_id).look_at + MINUTE)
    tick()
    assert "waits" in shown(schedule_id)["message"]
    simulation.carry_out(Job.get(restart))

    simulation.pass_time(minutes=3)
    a_night(simulation, schedule_id, is_due=False)

    assert [each["status"] for each in backups(instance_id)] == ["COMPLETED"]
    assert shown(schedule_id)["message"] is None


def test_a_full_quota_is_told(simulation: Simulation, instance_id: str, schedule_id: str) -> None:
    quota.set_limits("p1", None, None, backups=0)
    go_to(simulation, record(schedule_id).look_at + MINUTE)

    tick()

    assert "Quota exceeded for resources: ['backups'] (limit 0)." in shown(schedule_id)["message"]
    assert backups(instance_id) == []


def test_one_that_failed_is_told_and_the_next_night_s_is_taken(
    simulation: Simulation, instance_id: str, schedule_id: str
) -> None:
    put(simulation, b"broken")
    a_night(simulation, schedule_id)
    failed = backups(instance_id)[0]
    assert (failed["status"], shown(schedule_id)["last_success"]) == ("FAILED", None)
    assert f"Backup {failed['id']} was not completed: " in shown(schedule_id)["message"]
    simulation.pass_time(hours=4)
    assert shown(schedule_id)["overdue"]
    put(simulation, b"rows")
    go_to(simulation, record(schedule_id).next_at + timedelta(hours=1))

    a_night(simulation, schedule_id, is_due=False)

    assert [each["status"] for each in backups(instance_id)] == ["COMPLETED"]  # what failed went
    assert (shown(schedule_id)["overdue"], shown(schedule_id)["message"]) == (False, None)


def test_chains_are_as_long_as_it_says_and_what_is_not_kept_goes(simulation: Simulation, instance_id: str) -> None:
    put(simulation, b"rows")
    schedule_id = made(instance_id, full_every=3, retention={"count": 2}, window_minutes=0)["id"]
    by_hand = member.post("/backups", {"backup": {"name": "by hand", "instance": instance_id}}).body["backup"]["id"]
    carry_out(simulation)
    for _ in range(7):
        a_night(simulation, schedule_id)

    first, *scheduled = backups(instance_id)
    assert first["id"] == by_hand
    parents = [each["parent_id"] for each in scheduled]
    assert parents == [None, scheduled[0]["id"], scheduled[1]["id"], None]
    assert store().sizes(scheduled[0]["locationRef"])
    a_night(simulation, schedule_id)
    a_night(simulation, schedule_id)
    assert [each["parent_id"] for each in backups(instance_id)][1:] == [
        None,
        *(each["id"] for each in backups(instance_id)[1:3]),
    ]
    expiries = [each for each in Job.scan() if each.workflow == EXPIRE]
    assert {each.status for each in expiries} == {"SUCCEEDED"}
    assert [each["name"] for each in member.get("/backups").body["backups"]][-1] == "by hand"


def test_what_is_in_use_or_added_to_by_hand_stays(simulation: Simulation, instance_id: str) -> None:
    put(simulation, b"rows")
    schedule_id = made(instance_id, retention={"count": 1}, window_minutes=0)["id"]
    a_night(simulation, schedule_id)
    (first,) = backups(instance_id)
    order = {"name": "added", "instance": instance_id, "parent_id": first["id"]}
    added = member.post("/backups", {"backup": order}).body["backup"]["id"]
    carry_out(simulation)
    a_night(simulation, schedule_id)
    second = backups(instance_id)[-1]
    assert [each["id"] for each in backups(instance_id)] == [first["id"], added, second["id"]]
    restore = {"name": "again", "flavorRef": 1, "volume": {"size": 1}, "restorePoint": {"backupRef": second["id"]}}
    job_id = member.post("/instances", {"instance": restore}).body["instance"]["job_id"]

    go_to(simulation, record(schedule_id).look_at + MINUTE)
    tick()
    simulation.carry_out(Job.get(Backup.get(record(schedule_id).last_backup_id).job_id))
    simulation.pass_time(minutes=11)
    tick()  # wants both to go
    simulation.carry_out(*[each for each in Job.scan() if each.workflow == EXPIRE and each.status == "RUNNING"])
    third = backups(instance_id)[-1]["id"]
    assert [each["id"] for each in backups(instance_id)] == [first["id"], added, second["id"], third]

    simulation.carry_out(Job.get(job_id))
    assert member.delete(f"/backups/{added}").status == 202
    a_night(simulation, schedule_id)
    assert [each["schedule_id"] for each in backups(instance_id)] == [schedule_id]


def test_an_expiry_is_begun_by_hand(simulation: Simulation, instance_id: str) -> None:
    put(simulation, b"rows")
    schedule_id = made(instance_id, window_minutes=0)["id"]
    for _ in range(3):
        a_night(simulation, schedule_id)
    changed(schedule_id, retention={"count": 1})
    newest = backups(instance_id)[-1]["id"]
    arn = f"arn:aws:states:us-east-1:123456789012:execution:test-{EXPIRE}:by-hand"

    simulation.run(begun(arn, json.dumps({"schedule_id": schedule_id})))

    assert [each["id"] for each in backups(instance_id)] == [newest]
    assert (Job.get("by-hand").status, Job.get("by-hand").requested_by) == ("SUCCEEDED", "console")


def test_a_schedule_that_is_gone_meanwhile_leaves_its_backups(
    simulation: Simulation, instance_id: str, schedule_id: str
) -> None:
    a_night(simulation, schedule_id)
    member.delete(f"/schedules/{schedule_id}")
    simulation.pass_time(days=3)

    assert tick() == 0
    assert [each["status"] for each in backups(instance_id)] == ["COMPLETED"]


def test_one_whose_instance_went_unheard_of_goes(simulation: Simulation, instance_id: str, schedule_id: str) -> None:
    Instance.get(instance_id).delete()
    go_to(simulation, record(schedule_id).look_at + MINUTE)

    tick()

    assert Schedule.find(schedule_id) is None


def test_one_that_cannot_be_looked_at_stops_no_other(
    simulation: Simulation, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [created(simulation, name=f"db{number}") for number in range(3)]
    put(simulation, b"rows")
    broken, *_ = [made(each, window_minutes=0)["id"] for each in ids]
    go_to(simulation, record(broken).look_at + MINUTE)
    order = due._order

    def failing(schedule: Schedule, instance: Instance, moment: datetime) -> None:
        if schedule.schedule_id == broken:
            raise RuntimeError("nobody foresaw this")
        order(schedule, instance, moment)

    monkeypatch.setattr(due, "_order", failing)
    with written() as lines:
        assert tick() == 2
    assert [line["schedule_id"] for line in lines.named("schedule not looked at")] == [broken]
    assert sum(len(backups(each)) for each in ids) == 2


def test_all_that_is_due_is_looked_at_at_once(simulation: Simulation, ledger: Ledger) -> None:
    ids = [made(created(simulation, name=f"db{number}"))["id"] for number in range(3)]
    for each in ids:
        record(each).update(actions=[Schedule.look_at.set(utc() - MINUTE)])

    with one_at_a_time():
        assert due.tick(at_once=3) == 3
    assert all(record(each).look_at > utc() for each in ids)
