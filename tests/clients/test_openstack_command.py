"""`openstack database …` unchanged: what a person types, what it shows, how it ends."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.stock import Failed, Stock
from tests.ledger import Ledger
from tests.simulation.service import Simulation

AwaitActive = Callable[[str, str], Any]
NEW = ("--flavor", "1", "--size", "1", "--datastore", "ledger", "--datastore-version", "1")
PASSWORD = "correct-horse"


def created(member: Stock, await_active: AwaitActive, name: str = "db1", *more: str) -> Any:
    member.shown("database", "instance", "create", name, *NEW, *more)
    return await_active("instance", name)


def column(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [each[name] for each in rows]


def test_what_is_on_offer(member: Stock) -> None:
    assert column(member.shown("datastore", "list"), "Name") == ["ledger", "mysql", "redis"]
    assert member.shown("datastore", "show", "mysql")["name"] == "mysql"
    assert column(member.shown("datastore", "version", "list", "ledger"), "Version") == ["1"]
    assert member.shown("datastore", "version", "show", "1", "--datastore", "ledger")["name"] == "1"
    assert column(member.shown("database", "flavor", "list"), "Name") == ["db.tiny", "db.small"]
    assert member.shown("database", "flavor", "show", "2")["ram"] == 1024
    assert "max_instances | 20" in member("database", "limit", "list")  # it shows two tables: no JSON to be had


def test_the_life_of_an_instance(member: Stock, await_active: AwaitActive, ledger: Ledger) -> None:
    building = member.shown(
        "database", "instance", "create", "db1", *NEW, "--databases", "a", "b", "--users", f"al:{PASSWORD}"
    )
    shown = await_active("instance", "db1")

    assert (building["status"], shown["operating_status"], shown["volume"]) == ("BUILD", "HEALTHY", 1)
    assert (ledger.names, ledger.logins["al", "%"].password) == (["a", "b"], PASSWORD)
    (listed,) = member.shown("database", "instance", "list")
    assert (listed["Name"], listed["Status"], listed["Datastore"], listed["Size"]) == ("db1", "ACTIVE", "ledger", 1)
    member("database", "instance", "restart", "db1")
    await_active("instance", "db1")
    member("database", "instance", "update", "db1", "--name", "db2")
    assert member.shown("database", "instance", "show", building["id"])["name"] == "db2"
    member("database", "instance", "delete", "db2")
    with pytest.raises(Failed, match=r"No instance with a name or ID of 'db3'|No .*db3"):
        member.shown("database", "instance", "show", "db3")


def test_replicas(member: Stock, await_active: AwaitActive) -> None:
    source = created(member, await_active)
    member.shown("database", "instance", "create", "copy", "--replica-of", "db1", "--replica-count", "2")
    copy = await_active("instance", "copy-2")

    assert copy["replica_of"] == source["id"]
    assert column(member.shown("database", "instance", "list"), "Role").count("replica") == 2
    with pytest.raises(Failed, match=r"has 2 replicas"):
        member("database", "instance", "delete", "db1")
    member("database", "instance", "delete", "copy-1")
    for command in (("detach", "copy-2"), ("promote", "copy-2"), ("eject", "db1"), ("resize", "flavor", "db1", "2")):
        with pytest.raises(Failed, match="HTTP 501"):
            member("database", "instance", *command)


def test_databases_and_users(member: Stock, await_active: AwaitActive, ledger: Ledger) -> None:
    created(member, await_active)

    member("database", "db", "create", "db1", "a.b", "--character_set", "utf8")
    member("database", "db", "create", "db1", "c")
    assert column(member.shown("database", "db", "list", "db1"), "Name") == ["a.b", "c"]
    member("database", "user", "create", "db1", "a.l", PASSWORD, "--host", "10.1.2.3", "--databases", "a.b")
    assert member.shown("database", "user", "show", "db1", "a.l", "--host", "10.1.2.3")["host"] == "10.1.2.3"
    at = ("db1", "a.l", "--host", "10.1.2.3")
    member("database", "user", "grant", "access", *at[:2], "c", *at[2:])
    assert column(member.shown("database", "user", "show", "access", *at), "Name") == ["a.b", "c"]
    member("database", "user", "revoke", "access", *at[:2], "a.b", *at[2:])
    member("database", "user", "update", "attributes", *at, "--new_name", "ann", "--new_password", "battery-staple")
    assert (ledger.logins["ann", "10.1.2.3"].databases, ledger.logins["ann", "10.1.2.3"].password) == (
        ("c",),
        "battery-staple",
    )
    assert column(member.shown("database", "user", "list", "db1"), "Name") == ["ann"]
    member("database", "user", "delete", "db1", "ann", "--host", "10.1.2.3")
    member("database", "db", "delete", "db1", "a.b")
    assert (ledger.names, ledger.logins) == (["c"], {})
    with pytest.raises(Failed, match=r"cannot be found.*HTTP 404"):
        member("database", "db", "delete", "db1", "a.b")


def test_root(member: Stock, await_active: AwaitActive, ledger: Ledger) -> None:
    created(member, await_active)

    assert member.shown("database", "root", "show", "db1")["is_root_enabled"] is True
    told = member.shown("database", "root", "enable", "db1")
    assert (told["name"], told["password"]) == ("default", ledger.root_password)
    member("database", "root", "disable", "db1")
    assert member.shown("database", "root", "show", "db1")["is_root_enabled"] is False
    member("database", "root", "enable", "db1", "--root_password", PASSWORD)
    assert ledger.root_password == PASSWORD


def test_clusters(member: Stock, await_active: AwaitActive) -> None:
    one = ("--instance", "flavor=1,volume=1")
    made = member.shown("database", "cluster", "create", "c1", "ledger", "1", *one, *one)
    assert made["task_name"] == "BUILDING"
    assert await_active("cluster", "c1")["instance_count"] == 2
    assert column(member.shown("database", "cluster", "list"), "Name") == ["c1"]
    member("database", "cluster", "grow", "c1", *one)
    await_active("cluster", "c1")
    members = member.shown("database", "cluster", "list", "instances", "c1")
    third = members[2]["ID"]  # the client finds no member by its name
    assert column(members, "Name") == ["c1-member-1", "c1-member-2", "c1-member-3"]
    member("database", "cluster", "shrink", "c1", third)
    await_active("cluster", "c1")
    assert member.shown("database", "root", "show", "c1")["is_root_enabled"] is True
    with pytest.raises(Failed, match="HTTP 501"):
        member("database", "cluster", "upgrade", "c1", "1")
    member("database", "cluster", "delete", "c1")


def test_logs(member: Stock, await_active: AwaitActive, simulation: Simulation) -> None:
    created(member, await_active)
    (inside,) = simulation.guests.insides.values()
    inside.logbook.write("/log/general", b"SELECT 1\n")

    listed = member.shown("database", "log", "list", "db1")
    assert list(listed[0]) == ["Name", "Type", "Status", "Published", "Pending", "Container", "Prefix"]
    assert [(each["Name"], each["Type"], each["Status"]) for each in listed] == [
        ("general", "USER", "Disabled"),
        ("server", "SYS", "Unavailable"),
    ]
    assert member.shown("database", "log", "set", "db1", "general", "--enable")["status"] == "Ready"
    published = member.shown("database", "log", "set", "db1", "general", "--publish")
    assert (published["status"], published["published"], published["pending"]) == ("Published", 9, 0)
    assert sorted(published) == [
        *("container", "metafile", "name", "pending", "prefix", "published", "status", "type"),
    ]
    assert member.shown("database", "log", "show", "db1", "general") == published
    assert member.shown("database", "log", "set", "db1", "general", "--discard", "--disable")["published"] == 0
    with pytest.raises(Failed, match=r"disable.*HTTP 400"):
        member("database", "log", "set", "db1", "general", "--enable", "--disable")
    with pytest.raises(Failed, match=r"there are: general, server.*HTTP 404"):
        member("database", "log", "show", "db1", "guest")
    for command in (("tail", "db1", "general"), ("save", "db1", "general")):  # they want Swift, and a password
        with pytest.raises(Failed, match="object has no attribute 'message'"):
            member("database", "log", *command)


def test_an_administrator_s(member: Stock, admin: Stock, await_active: AwaitActive) -> None:
    instance_id = created(member, await_active)["id"]

    assert column(admin.shown("database", "instance", "list", "--all-projects"), "Tenant ID") == ["p1"]
    admin("database", "quota", "update", "p1", "instances", "3")
    quotas = {each["Resource"]: each["Limit"] for each in member.shown("database", "quota", "show", "p1")}
    assert quotas["instances"] == 3
    admin("database", "instance", "reset", "status", instance_id)
    with pytest.raises(Failed, match="HTTP 403"):
        member("database", "instance", "reset", "status", instance_id)
    await_active("instance", "db1")
    admin("database", "instance", "reboot", instance_id)  # by its id: the client finds none by its name
    assert await_active("instance", "db1")["operating_status"] == "HEALTHY"
    with pytest.raises(Failed, match="HTTP 401"):
        member("database", "instance", "reboot", instance_id)
    with pytest.raises(Failed, match=r"'rebuild' is not offered yet.*HTTP 501"):
        admin("database", "instance", "rebuild", instance_id, instance_id)
    admin("datastore", "version", "create", "2", "ledger", "redis", "debian-12", "--active", "--default")
    assert column(member.shown("datastore", "version", "list", "ledger"), "Name") == ["1", "2"]
    with pytest.raises(Failed, match=r"has versions: 1, 2.*HTTP 400"):
        admin("datastore", "delete", "ledger")
    admin("database", "instance", "delete", "db1", "--force")


@pytest.mark.parametrize(
    "command",
    [
        ("database", "backup", "strategy", "list"),
        ("database", "backup", "strategy", "create", "--swift-container", "mine"),
    ],
)
def test_what_is_to_come_says_so(member: Stock, await_active: AwaitActive, command: tuple[str, ...]) -> None:
    created(member, await_active)

    with pytest.raises(Failed, match=r"Backup strategies are not offered yet.*HTTP 501"):
        member(*command)
