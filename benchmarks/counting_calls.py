"""Calls to DynamoDB, counted at the client: those of the API, and apart from them those that asking a guest takes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Calls:
    of_api: Counter[str] = field(default_factory=Counter)
    of_reads: Counter[str] = field(default_factory=Counter)
    are_apart: bool = False

    def note(self, model: Any, **_: Any) -> None:
        """Be told of a call; a handler of botocore's `before-call`."""
        (self.of_reads if self.are_apart else self.of_api)[model.name] += 1

    def apart(self, work: Callable[[], Any]) -> Any:
        """Do what another function does for the API."""
        self.are_apart = True
        try:
            return work()
        finally:
            self.are_apart = False

    def forget(self) -> None:
        self.of_api.clear()
        self.of_reads.clear()

    def told(self) -> str:
        told = ", ".join(f"{count} {name}" for name, count in self.of_api.items())
        return f"{told} + {self.of_reads.total()} of `reads`" if self.of_reads else told
