"""Every command that python-troveclient has, by the client itself: its exit status, its columns, what it says."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.clients.commands import DAY, SHOWN, Row, fault_of_columns
from tests.clients.stock import PYTHON, Stock

ENTRY_POINTS = """
from importlib.metadata import entry_points
print(*(each.name for each in entry_points(group="openstack.database.v1")), sep="\\n")
"""


@dataclass
class Day:
    """Carries out one row after the other, and remembers the ids of what was shown."""

    callers: dict[str, Stock]
    await_active: Callable[[str, str], Any]
    ids: dict[str, str] = field(default_factory=dict)

    def faults(self, row: Row) -> Iterator[str]:
        """Do what the row says; yield a sentence for whatever differs from it."""
        words = [*row.command.split(), *row.arguments.format(**self.ids).split()]
        shows = row.command in SHOWN and not row.refused
        status, out, err = self.callers[row.by].said(*words, *(("-f", "json") if shows else ()))
        if row.refused:
            if not status or not re.search(row.refused, out + err):
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


def test_each_does_what_it_says_or_says_why_not(
    member: Stock, admin: Stock, await_active: Callable[[str, str], Any]
) -> None:
    day = Day({"member": member, "admin": admin}, await_active)

    faults = [f"{row.command} {row.arguments}: {fault}" for row in DAY for fault in day.faults(row)]

    assert faults == []


def test_none_is_forgotten() -> None:
    done = subprocess.run([PYTHON, "-c", ENTRY_POINTS], capture_output=True, text=True, check=True)
    offered = {name.replace("_", " ") for name in done.stdout.split()}

    assert {row.command for row in DAY} == offered
