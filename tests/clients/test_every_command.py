"""Every command that python-troveclient has, by the client itself: its exit status, its columns, what it says."""

import subprocess
from collections.abc import Callable
from typing import Any

from tests.clients.commands import DAY
from tests.clients.day import Day
from tests.clients.stock import PYTHON, Stock

ENTRY_POINTS = """
from importlib.metadata import entry_points
print(*(each.name for each in entry_points(group="openstack.database.v1")), sep="\\n")
"""


def test_each_does_what_it_says_or_says_why_not(
    member: Stock, admin: Stock, await_active: Callable[[str, str], Any]
) -> None:
    told = {"datastore": "ledger", "version": "1", "parameter": "most", "project": "p1", "other": "p2"}

    assert Day({"member": member, "admin": admin}, await_active, told).passed() == []


def test_none_is_forgotten() -> None:
    done = subprocess.run([PYTHON, "-c", ENTRY_POINTS], capture_output=True, text=True, check=True)
    offered = {name.replace("_", " ") for name in done.stdout.split()}

    assert {row.command for row in DAY} == offered
