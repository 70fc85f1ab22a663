"""openstacksdk's `conn.database` unchanged, with a catalog's endpoint and with one that overrides it."""

import pytest

from tests.clients.stock import environment, sdk


@pytest.mark.parametrize("override", ["", "1"])
def test_every_method_of_the_proxy(endpoint: str, override: str) -> None:
    seen = sdk("sdk_database.py", environment(endpoint, "member") | {"OVERRIDE": override})

    assert seen == {
        "flavors": ["db.tiny", "db.small"],
        "flavor": 1024,
        "instance": ["ACTIVE", "db1"],
        "found": True,
        "databases": ["a"],
        "users": ["al"],
        "left": [[], []],
        "root": [True, True],
        "renamed": "db2",
        "volume": {"size": 2},
        "paged": ["db2", "more0", "more1", "more2"],
        "gone": True,
    }
