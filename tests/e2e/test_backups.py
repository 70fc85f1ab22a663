"""Backups with the stock client, of real databases, over the embedded object store: what was dropped comes back."""

import pytest
import redis

from local.service import Service
from tests.clients.stock import Stock
from tests.e2e.guide import PASSWORD, active, completed, gone, mysql, postgresql, shop

pytestmark = pytest.mark.guests
ASKS = {"mysql": ("10.11", mysql), "postgresql": ("15", postgresql)}


@pytest.mark.parametrize("datastore", ASKS)
def test_what_was_dropped_comes_back(member: Stock, datastore: str) -> None:
    """Rows, a backup, more rows, one that adds to it; then the table is dropped, and both are restored elsewhere."""
    version, ask = ASKS[datastore]
    on = ("--datastore", datastore, "--datastore-version", version)
    address = shop(member, datastore, version, ask)

    member.shown("database", "backup", "create", "whole", "--instance", "db1")
    whole = completed(member, "whole")
    ask(address, "al", PASSWORD, "INSERT INTO texts VALUES ('second')")
    member.shown("database", "backup", "create", "added", "--instance", "db1", "--incremental")
    added = completed(member, "added")
    assert (whole["parent_id"], added["parent_id"]) == (None, whole["id"])
    ask(address, "al", PASSWORD, "DROP TABLE texts")

    for backup in ("whole", "added"):
        new = ("database", "instance", "create", f"from-{backup}", "--flavor", "1", "--size", "1", *on)
        member.shown(*new, "--backup", backup)
    for backup, rows in (("whole", [["first"]]), ("added", [["first"], ["second"]])):
        restored = active(member, f"from-{backup}")["ip"]
        assert sorted(ask(restored, "al", PASSWORD, "SELECT value FROM texts")) == rows
        ask(restored, "al", PASSWORD, "INSERT INTO texts VALUES ('its own')")
        root = member.shown("database", "root", "enable", f"from-{backup}")
        assert root["password"]

    assert {each["Name"] for each in member.shown("database", "backup", "list")} == {"whole", "added"}
    member("database", "backup", "delete", "whole")
    assert member.shown("database", "backup", "list") == []
    for name in ("from-whole", "from-added", "db1"):
        member("database", "instance", "delete", name)
        gone(member, name)


def test_a_cluster_s_backup_is_its_replica_s_and_redis_comes_back(member: Stock, running: Service) -> None:
    on = ("--datastore", "redis", "--datastore-version", "7.0")
    member.shown(
        "database", "instance", "create", "cache", "--flavor", "1", "--size", "1", *on, "--users", f"al:{PASSWORD}"
    )
    address = active(member, "cache")["ip"]
    member.shown("database", "instance", "create", "copy", "--replica-of", "cache")
    active(member, "copy")
    with redis.Redis(address, username="al", password=PASSWORD) as al:
        assert al.set("greeting", "hello")

    member.shown("database", "backup", "create", "b1", "--instance", "cache")
    completed(member, "b1")
    member.shown("database", "instance", "create", "again", "--flavor", "1", "--size", "1", *on, "--backup", "b1")
    restored = active(member, "again")["ip"]

    with redis.Redis(restored, username="al", password=PASSWORD) as al:
        assert al.get("greeting") == b"hello"
        assert al.set("greeting", "its own")
    member("database", "backup", "delete", "b1")
    for name in ("again", "copy", "cache"):
        member("database", "instance", "delete", name)
        gone(member, name)
