"""What Go clients (gophercloud's openstack/db/v1, Terraform's openstack_db_*) send, and what their types can take.

Neither runs here, so their requests are written out as they send them, and our answers are held against their structs:
Go refuses a number where a text is wanted, a text where a number is, and a date with a zone. A field that is absent
keeps its zero value; null is as good as absent.
"""

import re
from typing import Any

import pytest

from chalicelib.models.job import Job
from tests.api.client import Answer, ApiCaller
from tests.api.served import created
from tests.ledger import Ledger
from tests.simulation.service import Simulation

member = ApiCaller()
PASSWORD = "correct horse battery"
Shape = Any  # str | int | float | bool: of that type; "date"; [shape]: a list of it; {field: shape}

LINKS: Shape = [{"href": str, "rel": str}]
FLAVOR: Shape = {"id": int, "ram": int, "name": str, "links": LINKS, "str_id": str}
INSTANCE: Shape = {
    **{"created": "date", "updated": "date", "hostname": str, "ip": [str], "id": str, "links": LINKS},
    **{"name": str, "status": str, "fault": {"created": "date", "message": str, "details": str}},
    "flavor": {"id": str, "links": LINKS},
    "volume": {"size": int, "used": float},
    "datastore": {"version": str, "type": str, "version_id": str},
    "addresses": [{"type": str, "address": str}],
}
DATASTORE: Shape = {
    **{"default_version": str, "id": str, "links": LINKS, "name": str},
    "versions": [{"id": str, "links": LINKS, "name": str}],
}
USER: Shape = {"name": str, "password": str, "databases": [{"name": str, "character_set": str, "collate": str}]}
GROUP: Shape = {
    **{"created": "date", "updated": "date", "datastore_name": str, "datastore_version_id": str},
    **{"datastore_version_name": str, "description": str, "id": str, "name": str, "values": dict},
}
PARAMETER: Shape = {"max": float, "min": float, "name": str, "restart_required": bool, "type": str}
QUOTA: Shape = {"in_use": int, "reserved": int, "limit": int, "resource": str}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")  # JSONRFC3339NoZ


def fault_of(shape: Shape, value: Any, path: str = "") -> str | None:
    """Return what Go's decoder would complain of."""
    match shape:
        case _ if value is None:
            faults: list[str | None] = []
        case dict() if isinstance(value, dict):
            faults = [fault_of(each, value.get(name), f"{path}.{name}") for name, each in shape.items()]
        case [each] if isinstance(value, list):
            faults = [fault_of(each, item, f"{path}[]") for item in value]
        case "date" if isinstance(value, str):
            faults = [] if not value or DATE.fullmatch(value) else [f"{path} is no date without a zone: {value!r}"]
        case type() if isinstance(value, (int, float) if shape is float else shape) and (
            shape is bool or not isinstance(value, bool)
        ):
            faults = []
        case _:
            faults = [f"{path} is no {shape}: {value!r}"]
    return next((each for each in faults if each), None)


@pytest.mark.parametrize(
    ("shape", "value"),
    [("date", "2026-01-01T00:00:00Z"), (str, 1), (int, "1"), (int, 1.5), (int, True), ([str], "a"), ({"a": int}, [])],
)
def test_a_shape_refuses_what_go_does(shape: Shape, value: Any) -> None:
    assert fault_of(shape, value) is not None


def of(answer: Answer, key: str, *statuses: int) -> Any:
    assert answer.status in (statuses or (200,)), answer.body
    return answer.body[key]


def carried_out(simulation: Simulation, answer: Answer) -> Answer:
    if job_id := answer.headers.get("X-Dtrove-Job-Id"):
        simulation.carry_out(Job.get(job_id))
    return answer


def accepted(answer: Answer, *statuses: int) -> None:
    """202 of a POST or PUT without anything to read: what gophercloud takes unless told otherwise."""
    assert (answer.status in (statuses or (201, 202)), answer.body) == (True, None)


TERRAFORM = {  # resource openstack_db_instance_v1 with a database and a user
    "instance": {
        **{"flavorRef": "1", "name": "db1", "volume": {"size": 2}},
        "databases": [{"name": "shop", "character_set": "utf8", "collate": "utf8_general_ci"}],
        "users": [{"name": "al", "password": PASSWORD, "databases": [{"name": "shop"}], "host": "%"}],
        "datastore": {"version": "1", "type": "ledger"},
    }
}


def test_terraform_waits_for_an_instance_from_birth_to_death(simulation: Simulation, ledger: Ledger) -> None:
    """Its pending states are BUILD, then ACTIVE and SHUTDOWN; its targets ACTIVE, then a 404."""
    made = of(member.post("/instances", TERRAFORM), "instance")
    path = f"/instances/{made['id']}"

    assert (fault_of(INSTANCE, made), made["status"]) == (None, "BUILD")
    assert of(member.get(path), "instance")["status"] == "BUILD"
    simulation.carry_out(Job.get(made["job_id"]))
    shown = of(member.get(path), "instance")
    assert (fault_of(INSTANCE, shown), shown["status"]) == (None, "ACTIVE")
    assert (shown["flavor"]["id"], shown["volume"]["size"], ledger.names) == ("1", 2, ["shop"])
    deleted = member.delete(path)
    accepted(deleted, 202, 204)
    assert of(member.get(path), "instance")["status"] == "SHUTDOWN"
    carried_out(simulation, deleted)
    assert (member.get(path).status, list(member.get(path).body)) == (404, ["itemNotFound"])


def test_an_instance_that_failed_has_its_fault(simulation: Simulation, ledger: Ledger) -> None:
    simulation.cloud.images = frozenset()
    made = of(member.post("/instances", TERRAFORM), "instance")

    simulation.carry_out(Job.get(made["job_id"]))

    shown = of(member.get(f"/instances/{made['id']}"), "instance")
    assert (fault_of(INSTANCE, shown), shown["status"]) == (None, "ERROR")
    assert "There is no image" in shown["fault"]["message"]


def test_all_pages_are_put_together(simulation: Simulation, ledger: Ledger) -> None:
    """It follows `instances_links`, and joins whatever list of a page is under a name that does not end in `links`."""
    ids, seen = {created(simulation) for _ in range(3)}, set()

    path = "/instances?limit=2"
    while path:
        body = member.get(path).body
        (key,) = [name for name, value in body.items() if not name.endswith("links") and isinstance(value, list)]
        assert (key, fault_of([INSTANCE], body[key])) == ("instances", None)
        seen |= {each["id"] for each in body[key]}
        following = [each["href"] for each in body.get("instances_links", []) if each["rel"] == "next"]
        path = following[0].partition("/v1.0/p1")[2] if following else ""

    assert seen == ids


def test_databases_and_users_as_terraform_makes_them(simulation: Simulation, instance_id: str) -> None:
    """A user's host and databases are left out if none is given. It looks for both in the whole list."""
    path = f"/instances/{instance_id}"
    database = {"databases": [{"name": "shop"}]}
    user = {"users": [{"name": "al", "password": PASSWORD, "databases": [{"name": "shop"}]}]}

    accepted(carried_out(simulation, member.post(f"{path}/databases", database)))
    accepted(carried_out(simulation, member.post(f"{path}/users", user)))
    users, databases = member.get(f"{path}/users"), member.get(f"{path}/databases")
    assert fault_of([USER], of(users, "users")) is None
    assert [each["name"] for each in of(users, "users")] == ["al"]
    assert fault_of([{"name": str, "character_set": str, "collate": str}], of(databases, "databases")) is None
    accepted(carried_out(simulation, member.delete(f"{path}/users/al")), 202, 204)
    accepted(carried_out(simulation, member.delete(f"{path}/databases/shop")), 202, 204)
    assert of(member.get(f"{path}/databases"), "databases") == []


def test_root_is_enabled_without_a_body(simulation: Simulation, instance_id: str) -> None:
    answer = carried_out(simulation, member.send("POST", f"/instances/{instance_id}/root"))

    assert (fault_of(USER, of(answer, "user")), len(of(answer, "user")["password"])) == (None, 32)
    assert of(member.get(f"/instances/{instance_id}/root"), "rootEnabled") is True


def test_a_configuration_is_made_given_exchanged_and_deleted(simulation: Simulation, instance_id: str) -> None:
    """Terraform takes the former group away before it gives the next, one after the other at once."""
    order = {"name": "g", "values": {"most": 20}, "datastore": {"type": "ledger", "version": "1"}, "description": ""}
    ids = []
    for _ in range(2):
        made = of(member.post("/configurations", {"configuration": order}), "configuration")
        assert fault_of(GROUP, made) is None
        ids.append(made["id"])
    path = f"/instances/{instance_id}"

    for body in ({"configuration": ids[0]}, {}, {"configuration": ids[1]}):
        accepted(carried_out(simulation, member.send("PUT", path, {"instance": body})), 202)
    assert fault_of([GROUP], of(member.get("/configurations"), "configurations")) is None
    assert fault_of([INSTANCE], of(member.get(f"/configurations/{ids[1]}/instances"), "instances")) is None
    accepted(member.delete(f"/configurations/{ids[0]}"), 202, 204)
    edit = {"configuration": {"values": {"most": 30}}}
    accepted(carried_out(simulation, member.send("PATCH", f"/configurations/{ids[1]}", edit)), 200, 202, 204)
    accepted(carried_out(simulation, member.send("PUT", f"/configurations/{ids[1]}", edit)), 201, 202)


def test_actions_take_what_is_sent(simulation: Simulation, ledger: Ledger) -> None:
    path = f"/instances/{created(simulation, volume={'size': 1})}/action"
    accepted(carried_out(simulation, member.post(path, {"restart": {}})))
    accepted(carried_out(simulation, member.post(path, {"resize": {"volume": {"size": 3}}})))
    refused = member.post(path, {"resize": {"flavorRef": "2"}})
    assert (refused.status, list(refused.body)) == (501, ["notImplemented"])


def test_what_is_on_offer(ledger: Ledger) -> None:
    assert fault_of([FLAVOR], of(member.get("/flavors"), "flavors")) is None
    assert fault_of(FLAVOR, of(member.get("/flavors/1"), "flavor")) is None
    assert fault_of([DATASTORE], of(member.get("/datastores"), "datastores")) is None
    assert fault_of(DATASTORE, of(member.get("/datastores/ledger"), "datastore")) is None
    assert fault_of(DATASTORE["versions"], of(member.get("/datastores/ledger/versions"), "versions")) is None
    for path in ("/datastores/mysql/versions/10.11/parameters", "/datastores/redis/versions/7.0/parameters"):
        assert fault_of([PARAMETER], of(member.get(path), "configuration-parameters")) is None
    assert fault_of(PARAMETER, member.get("/datastores/ledger/versions/1/parameters/most").body) is None
    assert fault_of([QUOTA], of(member.get("/mgmt/quotas/p1"), "quotas")) is None
