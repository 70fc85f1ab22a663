"""What the Lambdas wrote to their logs: which steps ran for a job, and the milliseconds that are billed for each."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.service import Service

REPORT = re.compile(r"REPORT .*Billed Duration: (\d+) ms\tMemory Size: (\d+) MB")


@dataclass(frozen=True)
class Invocation:
    """One task of a state machine: its first try, or a retry."""

    step: str
    instance_id: str | None
    outcome: str  # "ok", or the error
    seconds: float  # inside the step
    ended_at: float  # Unix time
    billed_milliseconds: int
    memory_mib: int


def invocations(service: Service, job_id: str) -> list[Invocation]:
    """Return all tasks that ran for the job, in the order they ended."""
    found = [each for group in _groups(service) for each in _of_group(service, group, job_id)]
    return sorted(found, key=lambda each: each.ended_at)


def _groups(service: Service) -> list[str]:
    groups = service.aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    return [each["logGroupName"] for each in groups]


def _of_group(service: Service, group: str, job_id: str) -> Iterator[Invocation]:
    pages = service.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    line: dict[str, Any] = {}
    for event in (each for page in pages for each in page["events"]):
        if event["message"].startswith('{"step"'):
            line = json.loads(event["message"])
        elif line and (report := REPORT.match(event["message"])):
            if line["job_id"] == job_id:
                yield Invocation(
                    step=line["step"],
                    instance_id=line["instance_id"],
                    outcome=line["outcome"],
                    seconds=line["seconds"],
                    ended_at=event["timestamp"] / 1000,
                    billed_milliseconds=int(report[1]),
                    memory_mib=int(report[2]),
                )
            line = {}
