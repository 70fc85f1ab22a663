"""DynamoDB's streams of our tables, and Lambda's reading of them: in order, and again until it went well."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest
from moto.dynamodb.models import dynamodb_backends

from app import announce
from chalicelib import aws
from chalicelib.errors import Transient
from tests.conftest import ACCOUNT, REGION
from tests.simulation.machine import Cut

TABLES = ("test-clusters", "test-jobs")  # those that resources.yaml gives a stream
BATCH = 3


@contextmanager
def streaming() -> Iterator[None]:
    kept: dict[str, Any] = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    for table in _tables():
        table.set_stream_specification(kept)
    try:
        yield
    finally:
        for table in _tables():
            table.set_stream_specification(None)
            table.stream_shard = None


def _tables() -> list[Any]:
    return [dynamodb_backends[ACCOUNT][REGION].tables[name] for name in TABLES]


def changes(table: Any) -> list[dict[str, Any]]:
    """Return what the stream holds, as Lambda hands it on: times are numbers there."""
    records = [each.to_json() for each in table.stream_shard.items]
    return [each | {"dynamodb": each["dynamodb"] | {"ApproximateCreationDateTime": at(each)}} for each in records]


def at(record: dict[str, Any]) -> float:
    return float(record["dynamodb"]["ApproximateCreationDateTime"].replace(tzinfo=UTC).timestamp())


def forget() -> None:
    for table in _tables():
        table.stream_shard.items.clear()


@dataclass
class Bus:
    """EventBridge, where things go wrong at each third call in turn: before it, after it, for one entry of it."""

    details: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    fails: bool = True

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        self.calls += 1
        fault = self.calls % 4 if self.fails else 0
        if fault == 1:
            raise Cut("before PutEvents")
        lost = len(Entries) - 1 if fault == 3 else None
        taken = [each for number, each in enumerate(Entries) if number != lost]
        self.details += [self._detail(each) for each in taken]
        if fault == 2:
            raise Cut("after PutEvents")
        return {"Entries": [{"ErrorCode": "InternalFailure"} if n == lost else {} for n in range(len(Entries))]}

    def _detail(self, entry: dict[str, Any]) -> dict[str, Any]:
        return {"type": entry["DetailType"], **json.loads(entry["Detail"])}

    @property
    def once(self) -> list[dict[str, Any]]:
        """What a subscriber has who drops what came before under the same id, by the order of revisions."""
        found = {each["event_id"]: each for each in self.details}
        return sorted(found.values(), key=lambda each: int(each["revision"]))


def told(bus: Bus) -> Bus:
    """Bring every change to the function, again and again until all was told."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(aws, "client", lambda service: {"events": bus}[service])
        for table in _tables():
            _read(changes(table))
    return bus


def _read(records: list[dict[str, Any]]) -> None:
    position = 0
    while position < len(records):
        try:
            announce({"Records": records[position : position + BATCH]}, None)
        except (Cut, Transient):
            continue
        position += BATCH
