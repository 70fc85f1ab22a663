"""Cuts: dies at the k-th point before or after an effect: on the cloud, a guest, a table, a state machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib import aws
from chalicelib.models import record
from tests.simulation.machine import Cut
from tests.tables import MODELS

WRITES = frozenset(
    {
        *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"),
        *("StartExecution", "PutObject", "DeleteObjects"),
    },
)
READS = frozenset({"GetItem", "BatchGetItem", "Query", "DescribeExecution"})


@dataclass
class Cuts:
    """Counts the points it passes; dies at the one numbered `at`, once: then nothing has an effect until it is revived.

    A killed process runs no `finally`. In this one they do run, but whatever they try dies too.
    With `meanwhile` nothing dies: others act at that very point, to their end, and then it goes on.
    """

    at: int | None = None
    meanwhile: Callable[[], None] | None = None
    calls: frozenset[str] = WRITES  # of our clients
    passed: list[str] = field(default_factory=list)
    is_watching: bool = True
    is_dead: bool = False

    def trip(self, point: str) -> None:
        if not self.is_watching:
            return
        if self.is_dead:
            raise Cut(point)
        self.passed.append(point)
        if self.at == len(self.passed) - 1:
            self._happen(point)

    def _happen(self, point: str) -> None:
        if self.meanwhile is None:
            self.is_dead = True
            raise Cut(point)
        self.is_watching = False
        try:
            self.meanwhile()
        finally:
            self.is_watching = True

    def revive(self) -> None:
        self.is_dead = False

    @contextmanager
    def watching_calls(self) -> Iterator[None]:
        """Pass a point before and after each call of our clients."""

        def before(model: Any, **_: object) -> None:
            if model.name in self.calls:
                self.trip(f"before {model.name}")

        def after(model: Any, **_: object) -> None:
            if model.name in self.calls:
                self.trip(f"after {model.name}")

        clients = [model._get_connection().connection.client for model in MODELS]
        clients += [record._connection().client, aws.client("stepfunctions"), aws.client("s3")]
        events = {id(client.meta.events): client.meta.events for client in clients}.values()
        for each in events:
            each.register("before-call", before)
            each.register("after-call", after)
        try:
            yield
        finally:
            for each in events:
                each.unregister("before-call", before)
                each.unregister("after-call", after)
