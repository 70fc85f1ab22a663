"""Schedules: what a tick costs with 100 schedules and with 100,000, by how many of them are due."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore import handlers

from benchmarks.capacity import Ledger
from benchmarks.figures import Figure, Of, Section, tell

ABOUT = """\
The function `scheduler` in process, its tables in moto: a tick with 100,000 schedules in all, of which none, one and
100 are due; the baseline is 100 in all. Requests are those to DynamoDB; units follow from the items by its documented
rules. Each due one has its backup ordered, of an instance of its own. *night* is all that a schedule does for one of
its backups: the tick that orders it, the look at its end, and the order of the expiry of the one that it replaces.
`milliseconds_each` is one look, one after the other, less the time of the calls; it is this machine's.
"""
COUNTS = 100, 100_000
DUE = 0, 1, 100
LEAST_OF_AN_ORDER = 20  # write units that an order has at least: less was none
ENTERED = {"GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
PROJECT = "p1"


class Watch(Ledger):
    """A ledger of all calls, that also sums up how long they took."""

    seconds = 0.0

    def note(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"], context["asked_at"] = params, time.perf_counter()

    def answered(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        self.seconds += time.perf_counter() - context["asked_at"]
        if model.name in ENTERED:
            self.enter(model.name, context["asked"], parsed)

    def forget(self) -> None:
        self.requests, self.read_units, self.write_units, self.seconds = 0, 0.0, 0.0, 0.0

    def counts(self) -> dict[str, float]:
        return {"requests": self.requests, "read_units": self.read_units, "write_units": self.write_units}


def measure() -> Section:
    watch, figures = Watch(), list[Figure]()
    handlers.BUILTIN_HANDLERS += [
        ("provide-client-params.dynamodb", watch.note),
        ("after-call.dynamodb", watch.answered),
    ]
    from tests import conftest  # sets what a test deployment has, before the models are imported

    with conftest.account_in_moto():
        few, many = ({due: ticked(count, due, watch) for due in DUE} for count in COUNTS)
        night = nights(watch)
    for due in DUE:
        for name, value in many[due].items():
            is_time = name == "milliseconds_each"
            most, of = (None, Of.VALUE) if is_time else (1.0, Of.RATIO)
            unit = "ms" if is_time else name.removesuffix("s").split("_")[-1] + "s"
            figures.append(Figure(f"schedules.due_{due}.{name}", value, unit, few[due][name], most, of))
    figures += [Figure(f"schedules.night.{name}", value, name.split("_")[-1]) for name, value in night.items()]
    return Section("Schedules", ABOUT, tuple(figures))


def ticked(count: int, due: int, watch: Watch) -> dict[str, float]:
    """Return what a tick asks for when so many of so many schedules are due."""
    from chalicelib.orders.due import tick

    fill(count, due)
    tick(at_once=1) if not due else None  # makes the connections
    watch.forget()
    began = time.perf_counter()
    if (looked := tick(at_once=1)) != due:
        raise SystemExit(f"{looked} schedules were looked at, not {due}.")
    own = time.perf_counter() - began - watch.seconds
    tell(f"{count} schedules, {due} due: {watch.counts()}, {own:.3f} s of its own")
    return watch.counts() | ({"milliseconds_each": own * 1000 / due} if due else {})


def fill(count: int, due: int, rules: dict[str, int] | None = None) -> Sequence[str]:
    """Have so many schedules, each of an instance of its own where it is due, put into moto directly."""
    from moto.dynamodb.models import dynamodb_backends

    from chalicelib.models.project import Project
    from chalicelib.models.record import utc
    from tests import conftest

    conftest.empty()
    conftest.offer()
    conftest.offer_ledger()
    Project(project_id=PROJECT, most_backups=-1).save()
    tables = dynamodb_backends[conftest.ACCOUNT][conftest.REGION].tables
    prefix, moment = conftest.SETTINGS["DTROVE_TABLE_PREFIX"], utc()
    ids = [str(uuid5(NAMESPACE_URL, f"schedule {number}")) for number in range(count)]
    for number, each in enumerate(ids):
        minutes = -1 if number < due else 1 + number % 1_440
        schedule = schedule_of(each, moment + timedelta(minutes=minutes), rules or {"count": 7})
        tables[f"{prefix}schedules"].put_item(schedule.serialize())
    for each in ids[:due]:
        for record, noun in zip(cluster_of(each), ("clusters", "instances"), strict=True):
            tables[f"{prefix}{noun}"].put_item(record.serialize())
    return ids[:due]


def schedule_of(schedule_id: str, at: Any, rules: dict[str, int]) -> Any:
    from chalicelib.models.schedule import WATCHED, Schedule

    return Schedule(
        schedule_id=schedule_id,
        project_id=PROJECT,
        name="nightly",
        instance_id=schedule_id,
        cluster_id=schedule_id,
        cron="0 0 29 2 *",
        window_minutes=0,
        retention=rules,
        watch=WATCHED,
        look_at=at,
        next_at=at,
        revision=1,
    )


def cluster_of(cluster_id: str) -> tuple[Any, Any]:
    """Return an instance alone that serves, and its cluster."""
    from chalicelib.models.cluster import Cluster, Kind, Member
    from chalicelib.models.datastore import version_id_of
    from chalicelib.models.instance import Instance
    from chalicelib.models.record import utc

    common: dict[str, Any] = {"project_id": PROJECT, "datastore": "ledger", "datastore_version": "1", "revision": 1}
    common |= {"datastore_version_id": version_id_of("ledger", "1"), "cluster_id": cluster_id, "name": "db"}
    member = Member(instance_id=cluster_id, name="db")
    cluster = Cluster(kind=Kind.STANDALONE, members=[member], primary_id=cluster_id, status="ACTIVE", **common)
    whats: dict[str, Any] = {
        "flavor_id": "1",
        "memory_mib": 512,
        "volume_gib": 1,
        "role": "primary",
        "joined_at": utc(),
    }
    return cluster, Instance(instance_id=cluster_id, standalone_in=PROJECT, status="ACTIVE", **whats, **common)


def nights(watch: Watch) -> dict[str, float]:
    """Return what the two looks of a second night ask for: the order, and the end with an expiry."""
    from chalicelib.orders.due import tick

    (schedule_id,) = fill(1, 1, {"count": 1})
    total: dict[str, float] = {}
    for minutes in (3, 2):  # ago: of one time there is one backup
        ordered = looked(watch, schedule_id, tick, due_minutes=minutes)
        end(schedule_id)
        heard = looked(watch, schedule_id, tick)
        total = {name: ordered[name] + heard[name] for name in ordered}
    if total["write_units"] < LEAST_OF_AN_ORDER:
        raise SystemExit(f"That was no order: {total}")
    return total


def looked(watch: Watch, schedule_id: str, tick: Callable[..., int], due_minutes: int = 0) -> dict[str, float]:
    from chalicelib.models.record import utc
    from chalicelib.models.schedule import Schedule

    schedule = Schedule.get(schedule_id)
    schedule.look_at = utc() - timedelta(minutes=1)
    if due_minutes:
        schedule.next_at = utc() - timedelta(minutes=due_minutes)
    schedule.save()
    watch.forget()
    if tick(at_once=1) != 1:
        raise SystemExit("The schedule was not looked at.")
    return watch.counts()


def end(schedule_id: str) -> None:
    """Have its backup completed, as the workflow would: what that asks for is any backup's."""
    from chalicelib.jobs.endings import succeed
    from chalicelib.models.job import Job
    from chalicelib.models.status import JobStatus

    for job in Job.scan():
        if job.status == JobStatus.RUNNING and job.workflow == "create_backup":
            succeed(Job.get(job.job_id))


if __name__ == "__main__":
    print(measure().to_json())
