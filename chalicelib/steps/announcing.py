"""Events for users: what becomes of clusters and how jobs end, told on EventBridge. docs/events.md has the schema.

Nobody who records a status tells of it, or could forget to: DynamoDB's streams hold each committed change of a record
once and in its order, and bring it here until it was told. So an event comes at least once, whatever dies when.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib import aws, config, journal
from chalicelib.errors import Transient
from chalicelib.metrics import JOB_SECONDS, JOBS, JOBS_FAILED, counted
from chalicelib.models.status import JobStatus

SOURCE = "dtrove"
CLUSTER_CHANGED, JOB_ENDED = "DTrove Cluster State Change", "DTrove Job Ended"
GONE = "DELETED"  # the status of a cluster whose record is no more
AT_ONCE = 10  # entries that PutEvents takes
Item = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Event:
    kind: str
    detail: dict[str, Any]
    recorded_at: datetime


def announce(records: Sequence[dict[str, Any]]) -> int:
    """Tell of what these records of a stream changed; return how many events that were.

    Raises Transient if one was not taken: then all of them are brought here again.
    """
    events = [event for record in records for event in events_of(record)]
    for some in batches(events):
        _put(some)
        for each in some:
            journal.tell("told", event=each.kind, **ids_of(each), **counts_of(each))
    return len(events)


def events_of(record: dict[str, Any]) -> Iterator[Event]:
    """Yield the event that a record of a stream is worth, if any: most changes are none of a status."""
    change = record["dynamodb"]
    before, after = change.get("OldImage", {}), change.get("NewImage", {})
    recorded_at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    if _text(before, "status") == _text(after, "status"):
        return
    if "workflow" not in (before | after):
        yield Event(CLUSTER_CHANGED, cluster_detail(before, after), recorded_at)
    elif _text(after, "status") not in {None, JobStatus.RUNNING}:  # its expiry is no end
        yield Event(JOB_ENDED, job_detail(after), recorded_at)


def cluster_detail(before: Item, after: Item) -> dict[str, Any]:
    now = after or before
    revision = int(now["revision"]["N"]) + (0 if after else 1)  # of the deletion, had it one
    return {
        "event_id": f"{_text(now, 'cluster_id')}/{revision}",
        "revision": revision,
        **_texts(now, "project_id", "cluster_id", "name", "kind", "datastore", "datastore_version"),
        "instance_ids": [_text(member["M"], "instance_id") for member in now["members"]["L"]],
        "status": _text(after, "status") or GONE,
        "previous_status": _text(before, "status"),
        "message": _text(after, "message"),
        "job_id": _text(now, "last_job_id"),
        "deployment": config.current().dtrove_deployment,
    }


def job_detail(job: Item) -> dict[str, Any]:
    revision = int(job["revision"]["N"])
    return {
        "event_id": f"{_text(job, 'job_id')}/{revision}",
        "revision": revision,
        **_texts(job, "project_id", "cluster_id", "job_id", "workflow", "status", "message", "requested_by"),
        "instance_ids": [each["S"] for each in job["instance_ids"]["L"]],
        **{name: _time(job, name).isoformat() for name in ("started_at", "finished_at")},
        "deployment": config.current().dtrove_deployment,
    }


def ids_of(event: Event) -> dict[str, Any]:
    return {name: event.detail.get(name) for name in ("event_id", "project_id", "cluster_id", "job_id", "status")}


def counts_of(event: Event) -> dict[str, Any]:
    """Return what makes the line of an ended job count: here each is seen, whoever closed it."""
    if event.kind != JOB_ENDED:
        return {}
    said = event.detail
    ended, began = (datetime.fromisoformat(said[name]) for name in ("finished_at", "started_at"))
    values = {JOBS: 1.0, JOB_SECONDS: (ended - began).total_seconds()}
    if said["status"] in {JobStatus.FAILED, JobStatus.TIMED_OUT}:
        values[JOBS_FAILED] = 1
    return counted(values, workflow=said["workflow"], outcome=said["status"])


def _put(events: Sequence[Event]) -> None:
    entries = [
        {
            "EventBusName": config.current().dtrove_event_bus,
            "Source": SOURCE,
            "DetailType": each.kind,
            "Detail": json.dumps(each.detail),
            "Time": each.recorded_at,
        }
        for each in events
    ]
    answer = aws.client("events").put_events(Entries=entries)
    refused = sorted({str(each["ErrorCode"]) for each in answer["Entries"] if "ErrorCode" in each})
    if refused:
        raise Transient(f"Events were not taken: {', '.join(refused)}.")


def batches(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for at in range(0, len(events), AT_ONCE):
        yield events[at : at + AT_ONCE]


def _text(item: Item, name: str) -> str | None:
    """Return the attribute, None where there is none; an absent one may be written as NULL."""
    return item.get(name, {}).get("S")


def _texts(item: Item, *names: str) -> dict[str, str | None]:
    return {name: _text(item, name) for name in names}


def _time(item: Item, name: str) -> datetime:
    return datetime.strptime(item[name]["S"], "%Y-%m-%dT%H:%M:%S.%f%z")
