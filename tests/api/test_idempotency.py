"""Idempotency-Key: the same answer and one effect, whatever was cut before it came."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError

from chalicelib.jobs import endings
from chalicelib.models import record
from chalicelib.models.answer import Answer
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.project import Project
from chalicelib.models.record import Record
from chalicelib.sealing import unseal
from tests.api.client import Answer as Said
from tests.api.client import ApiCaller
from tests.api.executions import executions
from tests.crash.cuts import Cuts
from tests.ledger import Ledger
from tests.orders_placed import active
from tests.simulation.machine import Cut
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")
member, admin, other = ApiCaller(), ApiCaller("admin"), ApiCaller("other", "p2")
CLUSTER = {"cluster": {"name": "c", "datastore": {"type": "redis"}, "size": 2, "flavorRef": "1"}}
LEASE = timedelta(seconds=31)


@pytest.fixture
def pass_time() -> Iterator[Callable[[timedelta], None]]:
    passed = [timedelta()]
    record.clock = lambda: record.utc() + passed[0]

    def go(on: timedelta) -> None:
        passed[0] += on

    yield go
    record.clock = record.utc


def post(path: str, body: object, key: str, caller: ApiCaller = member) -> Said:
    return caller.send("POST", path, body, more={"Idempotency-Key": key})


def test_the_same_key_has_the_same_answer_and_one_effect() -> None:
    first, second = post("/clusters", CLUSTER, "k1"), post("/clusters", CLUSTER, "k1")

    assert (first.status, second.status) == (200, 200)
    assert second.body == first.body
    assert len(first.body["cluster"]["password"]) == 32
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["X-Dtrove-Job-Id"] == first.headers["X-Dtrove-Job-Id"] == first.body["cluster"]["job_id"]
    assert second.headers["x-openstack-request-id"] != first.headers["x-openstack-request-id"]
    assert (Cluster.count(), Job.count(), len(executions())) == (1, 1, 1)


def test_without_a_key_two_are_two() -> None:
    member.post("/clusters", CLUSTER)
    member.post("/clusters", CLUSTER)

    assert Cluster.count() == 2


def test_a_key_is_its_callers_own() -> None:
    mine, theirs = post("/clusters", CLUSTER, "k1"), post("/clusters", CLUSTER, "k1", other)

    assert theirs.status == 200
    assert theirs.body["cluster"]["id"] != mine.body["cluster"]["id"]


@pytest.mark.parametrize("changed", [{**CLUSTER["cluster"], "size": 3}, {**CLUSTER["cluster"], "name": "d"}])
def test_a_key_of_another_request_is_refused(changed: dict[str, Any]) -> None:
    post("/clusters", CLUSTER, "k1")

    answer = post("/clusters", {"cluster": changed}, "k1")

    assert answer.status == 422
    assert "Idempotency-Key" in answer.body["unprocessableEntity"]["message"]
    assert Cluster.count() == 1
    assert post("/instances", CLUSTER, "k1").status == 422


@pytest.mark.parametrize("key", ["", "a b", "ä", "k" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    answer = post("/clusters", CLUSTER, key)

    assert answer.status == 400
    assert "Idempotency-Key" in answer.body["badRequest"]["message"]
    assert Cluster.count() == 0


def test_only_a_post_has_a_key() -> None:
    assert member.send("GET", "/clusters", more={"Idempotency-Key": "a b"}).status == 200
    assert Answer.count() == 0


def test_a_refusal_that_changed_nothing_may_be_asked_for_again() -> None:
    cluster = active(1)
    held = member.post(f"/clusters/{cluster.cluster_id}", {"restart": {}})

    assert post(f"/clusters/{cluster.cluster_id}", {"stop": {}}, "k1").status == 422
    endings.succeed(Job.get(held.body["job"]["id"]))
    assert post(f"/clusters/{cluster.cluster_id}", {"stop": {}}, "k1").status == 202


def test_what_the_store_carries_out_after_the_refusal_is_the_one_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, late = record._connection(), []

    def failing(**asked: Any) -> None:
        late.append(asked)
        reason = {"Error": {"Code": "InternalServerError", "Message": "x"}}
        raise TransactWriteError("x", ClientError(reason, "TransactWriteItems"))

    with monkeypatch.context() as patch:
        patch.setattr(connection, "transact_write_items", failing)
        refused = post("/clusters", CLUSTER, "k1")
    connection.transact_write_items(**late[0])

    again = post("/clusters", CLUSTER, "k1")

    assert (refused.status, again.status) == (503, 200)
    assert Cluster.count() == 1
    assert again.body["cluster"]["id"] == next(Cluster.scan()).cluster_id


def test_what_is_not_offered_is_forgotten() -> None:
    assert post("/backup_strategies", {"backup_strategy": {"swift_container": "c"}}, "k1").status == 501
    assert Answer.count() == 0


def test_while_it_is_being_answered_others_wait_for_it() -> None:
    post("/clusters", CLUSTER, "k1")
    [kept] = Answer.scan()
    kept.sealed = None
    kept.hold(record.now() + LEASE)

    answer = post("/clusters", CLUSTER, "k1")

    assert answer.status == 409
    assert "still being answered" in answer.body["conflict"]["message"]


def test_a_key_is_forgotten_after_a_day(pass_time: Callable[[timedelta], None]) -> None:
    first = post("/clusters", CLUSTER, "k1")
    pass_time(timedelta(hours=25))

    second = post("/clusters", CLUSTER, "k1")

    assert second.status == 200
    assert second.body["cluster"]["id"] != first.body["cluster"]["id"]


def test_what_is_kept_tells_nothing_by_itself() -> None:
    password = post("/clusters", CLUSTER, "the-key").body["cluster"]["password"]

    kept = json.dumps([each.serialize() for each in Answer.scan()], default=str)
    assert password not in kept
    assert "the-key" not in kept


# --- cut anywhere
Count = Callable[[], list[int]]


def records() -> list[int]:
    return [each.count() for each in (Cluster, Instance, Job, Configuration)]


def until_whole(
    ask: Callable[[str], Said],
    pass_time: Callable[[timedelta], None],
    undo: Callable[[], None],
    settle: Callable[[Said], None] = lambda said: None,
) -> int:
    """Cut the request at each of its effects, ask again under the same key, and once more. Returns how many cuts."""
    for at in range(100):
        key, cuts = str(uuid4()), Cuts(at)
        undo()
        before = records()
        with cuts.watching_calls():
            try:
                ask(key)
            except Cut:
                pass
            else:
                return at
        pass_time(LEASE)
        again = ask(key)
        settle(again)
        once_more = ask(key)
        settle(once_more)
        assert again.status < 300, (at, cuts.passed, again.body)
        assert once_more.body == again.body
        new = [now - then for now, then in zip(records(), before, strict=True)]
        assert max(new[0], new[2], new[3]) == 1, (at, cuts.passed, new)
        assert again.headers.get("X-Dtrove-Job-Id") == once_more.headers.get("X-Dtrove-Job-Id")
    raise AssertionError("it was never whole")


def test_an_order_cut_anywhere_is_one_cluster_with_one_password(pass_time: Callable[[timedelta], None]) -> None:
    def ask(key: str) -> Said:
        said = post("/clusters", CLUSTER, key)
        made = Cluster.get(said.body["cluster"]["id"])
        assert unseal(made.cluster_id, made.passwords)["root"] == said.body["cluster"]["password"]
        return said

    def undo() -> None:
        models: tuple[type[Record], ...] = (Cluster, Instance, Job, Project)
        for each in [each for model in models for each in model.scan()]:
            each.delete(add_version_condition=False)

    assert until_whole(ask, pass_time, undo) >= 8


def test_an_order_that_was_placed_is_answered_though_its_version_is_withdrawn(
    pass_time: Callable[[timedelta], None],
) -> None:
    cuts = Cuts(calls=frozenset({"StartExecution"}), at=0)  # all is recorded
    with cuts.watching_calls(), pytest.raises(Cut):
        post("/clusters", CLUSTER, "k1")
    for each in Datastore.every():
        each.is_withdrawn, each.is_active = True, False
        each.save()
    pass_time(LEASE)

    again = post("/clusters", CLUSTER, "k1")

    assert again.status == 200, again.body
    made = Cluster.get(again.body["cluster"]["id"])
    assert unseal(made.cluster_id, made.passwords)["root"] == again.body["cluster"]["password"]


def test_an_action_cut_anywhere_is_one_job(pass_time: Callable[[timedelta], None]) -> None:
    cluster = active(1)

    def end_jobs() -> None:
        for each in Job.scan():
            if each.openness:
                endings.succeed(each)

    assert (
        until_whole(lambda key: post(f"/clusters/{cluster.cluster_id}", {"restart": {}}, key), pass_time, end_jobs) >= 8
    )


def test_a_group_cut_anywhere_is_one_group(pass_time: Callable[[timedelta], None]) -> None:
    body = {"configuration": {"name": "g", "datastore": {"type": "mysql"}, "values": {"max_connections": 100}}}

    assert until_whole(lambda key: post("/configurations", body, key), pass_time, lambda: None) >= 6


def test_a_version_cut_anywhere_is_one_version(pass_time: Callable[[timedelta], None]) -> None:
    names = iter(range(100))
    version: dict[str, Any] = {"datastore_name": "redis", "datastore_manager": "redis", "active": True, "image": "i"}

    def undo() -> None:
        version["name"] = f"8.{next(names)}"

    for at in range(100):
        undo()
        cuts, key, before = Cuts(at), str(uuid4()), Datastore.count()
        with cuts.watching_calls():
            try:
                post("/mgmt/datastore-versions", {"version": version}, key, admin)
            except Cut:
                pass
            else:
                break
        pass_time(LEASE)
        assert post("/mgmt/datastore-versions", {"version": version}, key, admin).status == 202
        assert Datastore.count() == before + 1
    assert at >= 6


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("databases", {"databases": [{"name": "shop"}]}),
        ("users", {"users": [{"name": "ann", "password": "secret1"}]}),
        ("root", None),
        ("action", {"restart": {}}),
    ],
)
def test_a_change_on_a_guest_cut_anywhere_is_one_change(
    path: str,
    body: object,
    instance_id: str,
    simulation: Simulation,
    ledger: Ledger,
) -> None:
    def carry_out_all() -> None:
        for each in Job.scan():
            if each.openness:
                simulation.carry_out(each)

    def undo() -> None:
        carry_out_all()
        ledger.names.clear()
        ledger.logins.clear()

    def settle(said: Said) -> None:
        carry_out_all()
        if path == "root":
            assert ledger.root_password == said.body["user"]["password"]

    def pass_time(time: timedelta) -> None:
        simulation.pass_time(seconds=time.total_seconds())

    url = f"/instances/{instance_id}/{path}"
    assert until_whole(lambda key: post(url, body, key), pass_time, undo, settle) >= 8
