"""A day of somebody who gives every command of python-troveclient, one after the other."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.clients.commands import DAY, SHOWN, Row, fault_of_columns
from tests.clients.stock import Stock


def waiting(member: Stock, patience_seconds: float) -> Callable[[str, str], Any]:
    """Wait as a person does, by showing it again."""

    def await_active(what: str, name: str) -> Any:
        until = time.monotonic() + patience_seconds
        while time.monotonic() < until:
            shown = member.shown("database", what, "show", name)
            if shown.get("task_name", "NONE") == "NONE" and shown["status"] in {"ACTIVE", "COMPLETED"}:
                return shown
            time.sleep(0.2)
        raise AssertionError(f"{name} is not ACTIVE: {shown}")

    return await_active


@dataclass
class Day:
    """Carries out one row after the other, and remembers the ids of what was shown."""

    callers: dict[str, Stock]
    await_active: Callable[[str, str], Any]
    ids: dict[str, str]  # at first those that the rows ask for

    def passed(self) -> list[str]:
        """Do all of it; return a sentence for whatever differed."""
        return [f"{row.command} {row.arguments}: {fault}" for row in DAY for fault in self.faults(row)]

    def faults(self, row: Row) -> Iterator[str]:
        """Do what the row says; yield a sentence for whatever differs from it."""
        words = [*row.command.split(), *row.arguments.format(**self.ids).split()]
        shows = row.command in SHOWN and not row.refused
        status, out, err = self.callers[row.by].said(*words, *(("-f", "json") if shows else ()))
        if row.refused:
            if not status or not re.search(row.refused, (out + err).strip()):
                yield f"ended with {status}: {out} {err}"
        elif status:
            yield f"failed: {out} {err}"
        elif shows:
            yield from self._faults_of(row, json.loads(out))
        elif not re.fullmatch(rf"(?s).*{row.says}.*" if row.says else "", out.strip()):
            yield f"said {out}"
        if row.awaited and not status:
            self.await_active(*row.awaited.split())

    def _faults_of(self, row: Row, shown: Any) -> Iterator[str]:
        rows = shown if isinstance(shown, list) else [shown]
        if not rows:
            yield "is empty"
        for each in rows:
            if fault := fault_of_columns(row.command, each):
                yield fault
            named = {name.lower(): str(value) for name, value in each.items()}
            if {"id", "name"} <= set(named):
                self.ids[named["name"]] = named["id"]
