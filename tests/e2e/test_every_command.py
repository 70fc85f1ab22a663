"""Every command of the stock client, against the embedded service behind a real Keystone's catalog, on real guests."""

import pytest

from tests.clients.day import Day, waiting
from tests.e2e.guide import PATIENCE_SECONDS
from tests.e2e.keystone_place import Place

pytestmark = pytest.mark.guests


def test_each_does_what_it_says_or_says_why_not(place: Place) -> None:
    project, other = place.cloud.project(), place.cloud.project()
    told = {
        "project": project,
        "other": other,
        "datastore": "mysql",
        "version": "10.11",
        "parameter": "max_connections",
    }
    with (
        place.stock(place.cloud.user(project, "member")) as member,
        place.stock(place.cloud.user(project, "admin")) as admin,
    ):
        callers = {"member": member, "admin": admin}

        assert Day(callers, waiting(member, PATIENCE_SECONDS), told).passed() == []
