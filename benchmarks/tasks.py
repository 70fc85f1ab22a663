"""The tasks of state machines that ran in some span of time, as the functions' logs tell."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from local.service import FUNCTIONS, Service

ANY = ("APIHandler", "Announce", *FUNCTIONS)
BYTES_OF_EVENT = 26  # that CloudWatch adds to each
REPORT = re.compile(r"REPORT .*Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")


@dataclass(frozen=True)
class Task:
    """One invocation: the first try of a state, or a retry."""

    step: str  # "" if its line came too late for its log
    outcome: str  # "ok", or the error's kind
    ended_at: float  # Unix time
    billed_milliseconds: int
    memory_mib: int

    @property
    def seconds(self) -> float:
        return self.billed_milliseconds / 1000


def tasks(service: Service, since: float, until: float, functions: Sequence[str] = FUNCTIONS) -> list[Task]:
    """Return the tasks that ended in this span, first those that ended first. Only steps run in these functions."""
    found = [task for events in _written(service, since, until, functions) for task in _of_events(events)]
    return sorted(found, key=lambda each: each.ended_at)


def logged_bytes(service: Service, since: float, until: float) -> int:
    """Return the bytes that CloudWatch bills for what the functions wrote in this span, the sweeps apart."""
    written = [event for events in _written(service, since, until, ANY) for event in events]
    return sum(len(each["message"].encode()) + BYTES_OF_EVENT for each in written)


def _written(service: Service, since: float, until: float, functions: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    logs = service.aws.client("logs")
    group = re.compile(rf"/aws/lambda/dtrove-({'|'.join(functions)})(-[0-9A-F]+)?")
    names = [each["logGroupName"] for each in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]]
    span = {"startTime": int(since * 1000), "endTime": int(until * 1000) + 1}
    for name in filter(group.fullmatch, names):
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name, **span):
            yield page["events"]


def _of_events(events: Sequence[dict[str, Any]]) -> Iterator[Task]:
    """Read a log stream for each invocation, as the embedded AWS writes them."""
    for _, lines in groupby(events, key=lambda each: each["logStreamName"]):
        line: dict[str, Any] = {}
        for event in lines:
            if '"message":"step"' in event["message"]:
                line = json.loads(event["message"])
            elif report := REPORT.match(event["message"]):
                yield Task(
                    step=line.get("step", ""),
                    outcome=line.get("outcome", ""),
                    ended_at=event["timestamp"] / 1000,
                    billed_milliseconds=int(report[1]),
                    memory_mib=int(report[2]),
                )


def idle_seconds(found: Sequence[Task], since: float, until: float) -> float:
    """Return for how long no task ran: what the API, the state machine and waiting for a retry take."""
    idle, free_since = 0.0, since
    for begins_at, ends_at in sorted((each.ended_at - each.seconds, each.ended_at) for each in found):
        idle += max(0.0, begins_at - free_since)
        free_since = max(free_since, ends_at)
    return idle + max(0.0, until - free_since)


def profile(found: Sequence[Task]) -> str:
    """Return the tasks of each step: how many, and the longest's seconds."""
    names = dict.fromkeys(each.step or "?" for each in found)
    seconds = {name: [each.seconds for each in found if (each.step or "?") == name] for name in names}
    return ", ".join(f"{name} {len(each)}x {max(each):.2f}" for name, each in seconds.items())
