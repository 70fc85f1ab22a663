"""Pages while others insert and delete between them: what was there all the time is seen once, nothing twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.api import guests
from chalicelib.datastores.accounts import User
from chalicelib.models.cluster import Cluster, Kind
from chalicelib.models.configuration import Configuration
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import now
from chalicelib.models.status import Status
from tests.api.client import ApiCaller
from tests.ledger import THE_LEDGER, Ledger
from tests.tables import MODELS

member, admin = ApiCaller(), ApiCaller("admin", "admin")
OF_LEDGER: dict[str, Any] = {"datastore": "ledger", "datastore_version": "1", "datastore_version_id": "v"}


class Shelf(Protocol):
    """What is listed, under ids whose order is that of the numbers they are made of."""

    noun: str
    path: str
    caller: ApiCaller

    def put(self, id_: str) -> None: ...

    def take(self, id_: str) -> None: ...

    def id_of(self, item: Any) -> str: ...


@dataclass
class Records:
    """Records of a table, newest first where `is_backwards`."""

    noun: str
    path: str
    make: Callable[[str], Any]
    caller: ApiCaller = member

    def put(self, id_: str) -> None:
        self.make(id_).save()

    def take(self, id_: str) -> None:
        self.make(id_).delete(add_version_condition=False)

    def id_of(self, item: Any) -> str:
        return str(item["id"])


def instance(id_: str, **more: Any) -> Instance:
    own: dict[str, Any] = {
        "instance_id": id_,
        "cluster_id": f"c{id_}",
        "project_id": "p1",
        "standalone_in": "p1",
        "name": "x",
    }
    return Instance(**own, **OF_LEDGER, flavor_id="1", memory_mib=512, **more)


def cluster(id_: str) -> Cluster:
    own: dict[str, Any] = {"cluster_id": id_, "project_id": "p1", "listed_in": "p1", "kind": Kind.CLUSTER, "name": "x"}
    return Cluster(**own, **OF_LEDGER)


def configuration(id_: str) -> Configuration:
    return Configuration(configuration_id=id_, project_id="p1", name="x", **OF_LEDGER, values={})


def job(id_: str) -> Job:
    more: dict[str, Any] = {"project_id": "p1", "cluster_id": "c", "workflow": "restart_cluster", "requested_by": "x"}
    return Job(job_id=id_, sort_key=f"2026-01-01T00:00:00.{id_}Z {id_}", started_at=now(), **more)


@dataclass
class Databases:
    noun: str = "databases"
    path: str = "/instances/here/databases"
    caller: ApiCaller = member

    def put(self, id_: str) -> None:
        THE_LEDGER.names.append(id_)

    def take(self, id_: str) -> None:
        THE_LEDGER.names.remove(id_)

    def id_of(self, item: Any) -> str:
        return str(item["name"])


@dataclass
class Users:
    noun: str = "users"
    path: str = "/instances/here/users"
    caller: ApiCaller = member

    def put(self, id_: str) -> None:
        THE_LEDGER.logins[f"a {id_}&%@é", "10.0.0.1"] = User(f"a {id_}&%@é", "10.0.0.1")

    def take(self, id_: str) -> None:
        del THE_LEDGER.logins[f"a {id_}&%@é", "10.0.0.1"]

    def id_of(self, item: Any) -> str:
        return str(item["name"]).removeprefix("a ").removesuffix("&%@é")


SHELVES: dict[str, Shelf] = {
    "instances": Records("instances", "/instances", instance),
    "instances in detail": Records("instances", "/instances/detail", instance),
    "instances of a group": Records(
        "instances", "/configurations/group/instances", lambda id_: instance(id_, configuration_id="group")
    ),
    "instances of all": Records("instances", "/mgmt/instances", instance, admin),
    "clusters": Records("clusters", "/clusters", cluster),
    "clusters of all": Records("clusters", "/mgmt/clusters", cluster, admin),
    "configurations": Records("configurations", "/configurations", configuration),
    "jobs": Records("jobs", "/jobs", job),
    "jobs of a cluster": Records("jobs", "/jobs?cluster_id=c", job),
    "databases": Databases(),
    "users": Users(),
}


def told(event: dict[str, str]) -> dict[str, Any]:
    """Answer a read as the function `reads` does."""
    users = [{"name": each.name, "host": each.host, "databases": []} for each in THE_LEDGER.logins.values()]
    return {"found": {"databases": list(THE_LEDGER.names), "users": users}}


@pytest.fixture
def simulated_reads(ledger: Ledger) -> None:
    """An instance whose databases and users are the ledger's; no list of instances shows it."""
    guests.ask_through(told)
    here = instance("here", status=Status.ACTIVE, address="10.0.0.9", realm="nowhere")
    here.standalone_in = None
    here.save()


MOST_PAGES = 80  # more than there can be: 12, and 4 new ones for each of 12 pages
NUMBERS = st.sets(st.integers(0, 30), max_size=12)
CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=4)


@pytest.mark.parametrize("name", SHELVES)
@given(before=NUMBERS, between=st.lists(CHANGES, min_size=12, max_size=12), limit=st.integers(1, 4))
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_pages_are_whole_while_others_change_what_is_listed(
    simulated_reads: None, name: str, before: set[int], between: list[Any], limit: int
) -> None:
    shelf = SHELVES[name]
    emptied(shelf)
    there = {f"{number:06}" for number in before}
    for id_ in there:
        shelf.put(id_)
    always, ever, changes = set(there), set(there), iter(between)
    seen: list[str] = []

    path = f"{shelf.path}{'&' if '?' in shelf.path else '?'}limit={limit}"
    for _ in range(MOST_PAGES):
        body = shelf.caller.get(path).body
        assert len(body[shelf.noun]) <= limit
        seen += [shelf.id_of(each) for each in body[shelf.noun]]
        path = body["links"][0]["href"].partition(f"/v1.0/{shelf.caller.project_id}")[2] if "links" in body else ""
        for is_new, number in next(changes, []):
            id_ = f"{number:06}"
            if is_new and id_ not in there:
                shelf.put(id_)
                there.add(id_)
                ever.add(id_)
            elif not is_new and id_ in there:
                shelf.take(id_)
                there.remove(id_)
                always.discard(id_)
        if not path:
            break

    assert not path
    assert len(seen) == len(set(seen))
    assert always <= set(seen) <= ever
    assert seen == sorted(seen, reverse=shelf.noun == "jobs")


@pytest.mark.parametrize("name", SHELVES)
def test_the_last_page_has_no_link_and_a_marker_need_not_be_there(simulated_reads: None, name: str) -> None:
    shelf = SHELVES[name]
    emptied(shelf)
    for number in range(4):
        shelf.put(f"{number:06}")
    mark = "&" if "?" in shelf.path else "?"

    first = shelf.caller.get(f"{shelf.path}{mark}limit=2").body
    assert first["links"] == first[f"{shelf.noun}_links"]
    for each in first[shelf.noun]:
        shelf.take(shelf.id_of(each))
    last = shelf.caller.get(first["links"][0]["href"].partition(f"/v1.0/{shelf.caller.project_id}")[2]).body

    assert (len(last[shelf.noun]), set(last)) == (2, {shelf.noun})
    beyond = "~" if shelf.noun != "jobs" else "0"
    assert shelf.caller.get(f"{shelf.path}{mark}marker={beyond}").body == {shelf.noun: []}


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "", "1.5", " 1", "+1", "%EF%BC%91", "9" * 101])
@pytest.mark.parametrize("name", SHELVES)
def test_a_limit_that_is_none_is_refused(simulated_reads: None, name: str, limit: str) -> None:
    shelf = SHELVES[name]
    emptied(shelf)

    answer = shelf.caller.get(f"{shelf.path}{'&' if '?' in shelf.path else '?'}limit={limit}")

    assert (answer.status, "limit" in answer.body["badRequest"]["message"]) == (400, True)


@pytest.mark.parametrize("name", SHELVES)
def test_a_limit_above_the_page_s_is_cut_to_it(simulated_reads: None, name: str) -> None:
    shelf = SHELVES[name]
    emptied(shelf)
    shelf.put("000001")

    body = shelf.caller.get(f"{shelf.path}{'&' if '?' in shelf.path else '?'}limit={'9' * 100}").body

    assert (len(body[shelf.noun]), "links" in body) == (1, False)


def emptied(shelf: Shelf) -> None:
    """Have nothing there but what the list belongs to."""
    for model in MODELS:
        for each in model.scan():
            if getattr(each, "instance_id", "") != "here":
                each.delete(add_version_condition=False)
    THE_LEDGER.__dict__.update(vars(Ledger()))
    if "group" in shelf.path:
        configuration("group").save()


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/instances", "marker", "\U0001f418" * 257),  # four bytes each: more than a sort key may have
        ("/jobs", "marker", "x" * 513),
        ("/mgmt/instances", "project_id", "x" * 256),
        ("/mgmt/clusters", "project_id", "x" * 256),
        ("/jobs", "cluster_id", "x" * 256),
    ],
)
def test_what_no_key_of_a_table_can_be_is_refused(aws: None, path: str, name: str, value: str) -> None:
    answer = admin.get(f"{path}?{urlencode({name: value})}")

    assert (answer.status, name in answer.body["badRequest"]["message"]) == (400, True)
