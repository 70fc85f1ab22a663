"""Publishing: whatever happens to the step, the log or its file, in S3 lies what was written, each byte once."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from chalicelib import aws, config
from chalicelib.datastores.accounts import Database
from chalicelib.datastores.logs import LogFile
from chalicelib.datastores.wishes import Wish
from chalicelib.errors import NotReady, Permanent
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.shelved import Shelved
from chalicelib.models.status import JobStatus
from chalicelib.orders.logs import place_log_change
from chalicelib.orders.requester import Requester
from chalicelib.orders.wishes import place_wish
from chalicelib.steps import logs, shelf
from chalicelib.steps.entry import run_step
from chalicelib.steps.publishing import stretches_of
from chalicelib.steps.shelf import Part
from chalicelib.stores import bucket
from tests.api.served import created
from tests.conftest import SETTINGS
from tests.ledger import Ledger, LedgerManager
from tests.logbook import Logbook
from tests.orders_placed import change, fresh, fresh_job, grown
from tests.simulation.service import Simulation

BY = Requester("p1", "member")
PATH = "/log/server"
BUCKET = SETTINGS["DTROVE_BUCKET"]


@pytest.fixture
def instance(simulation: Simulation, ledger: Ledger) -> Instance:
    return Instance.get(created(simulation))


@pytest.fixture
def book(simulation: Simulation, instance: Instance) -> Logbook:
    """What its server has written, that the test may add to."""
    return simulation.guests.insides[str(instance.server_id)].logbook


def log_of(name: str = "server") -> Any:
    manager = LedgerManager(Datastore(datastore="ledger", version="1", manager="tests.ledger.LedgerManager"))
    return next(each for each in manager.logs if each.name == name)


def asked(instance: Instance, *acts: str, log: str = "server") -> Job:
    return place_log_change(instance, log_of(log), acts or ["publish"], BY).job


def act(job: Job, instance: Instance) -> None:
    """Run the step once, as a state machine does."""
    baton = {"cluster_id": job.cluster_id, "primary_id": instance.instance_id, "instance_id": instance.instance_id}
    context = {"Id": execution_arn(job), "Name": job.job_id}
    run_step({"step": "ChangeLog", "execution": context, "baton": baton}, "guest")


def finish(job: Job, instance: Instance) -> None:
    """Run the step as often as it asks for, and close the job."""
    for _ in range(9):
        with suppress(NotReady):
            act(job, instance)
            break
    endings.succeed(fresh_job(job))


def lying(instance: Instance) -> dict[str, bytes]:
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"logs/{instance.instance_id}/").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}


def whole(instance: Instance) -> bytes:
    return b"".join(lying(instance).values())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten bytes."""
    monkeypatch.setattr(logs, "PIECE_BYTES", 10)


def test_what_is_new_is_added(simulation: Simulation, instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"one\n\xff\0")
    simulation.carry_out(asked(instance))
    simulation.carry_out(asked(instance))
    book.write(PATH, b"two\n")
    simulation.carry_out(job := asked(instance))

    assert fresh_job(job).status == JobStatus.SUCCEEDED
    prefix = f"logs/{instance.instance_id}/server/1700000001-11-000"
    assert lying(instance) == {
        f"{prefix}/000000000000000.log": b"one\n\xff\0",
        f"{prefix}/000000000000006.log": b"two\n",
    }


@pytest.mark.usefixtures("small")
def test_a_long_log_comes_in_parts_each_read_once(simulation: Simulation, instance: Instance, book: Logbook) -> None:
    book.write(PATH, text := bytes(range(35)))

    machine = simulation.carry_out(asked(instance))

    assert whole(instance) == text
    assert [len(each) for each in lying(instance).values()] == [10, 10, 10, 5]
    assert book.read == [(PATH, 0), (PATH, 10), (PATH, 20), (PATH, 30)]
    assert machine.retried == ["ChangeLog"] * 3


@pytest.mark.usefixtures("small")
def test_what_is_written_meanwhile_is_for_the_next_time(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"x" * 15)
    job = asked(instance)
    with pytest.raises(NotReady):
        act(job, instance)
    book.write(PATH, b"y" * 100)

    act(job, instance)

    assert whole(instance) == b"x" * 15


@pytest.mark.usefixtures("small")
def test_a_log_is_turned_over_in_the_middle_and_nothing_of_it_is_lost(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"x" * 15)
    job = asked(instance)
    with pytest.raises(NotReady):
        act(job, instance)
    book.turn(PATH)
    book.write(PATH, b"new")
    finish(job, instance)
    assert whole(instance) == b"x" * 15

    finish(asked(instance), instance)

    assert whole(instance) == b"x" * 15 + b"new"


def test_what_was_turned_over_before_it_was_published_comes_first(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"old")
    book.turn(PATH)
    book.write(PATH, b"new")

    job = asked(instance)
    with pytest.raises(NotReady):
        act(job, instance)
    act(job, instance)

    assert whole(instance) == b"oldnew"


@pytest.mark.usefixtures("small")
def test_a_file_that_is_gone_is_no_goal(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"x" * 15)
    job = asked(instance)
    with pytest.raises(NotReady):
        act(job, instance)
    for _ in range(2):
        book.turn(PATH)
        book.write(PATH, b"new")

    act(job, instance)

    assert whole(instance) == b"x" * 10


def test_a_file_that_was_emptied_begins_anew(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"before")
    finish(asked(instance), instance)
    book.empty(PATH)
    book.write(PATH, b"x")
    finish(asked(instance), instance)
    book.write(PATH, b"y")
    finish(asked(instance), instance)

    assert whole(instance) == b"beforexy"
    assert [key.split("/")[3] for key in lying(instance)] == ["1700000001-11-000", *["1700000001-11-001"] * 2]


def test_an_inode_that_is_used_again_is_another_file(instance: Instance, book: Logbook) -> None:
    for text in (b"one", b"two", b"three"):
        book.write(PATH, text)
        finish(asked(instance), instance)
        book.turn(PATH)

    assert whole(instance) == b"onetwothree"


@pytest.mark.usefixtures("small")
def test_of_two_tries_at_once_each_byte_lies_there_once(
    instance: Instance, book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second runs to its end while the first holds the part that it read, and the log has grown meanwhile."""
    book.write(PATH, b"x" * 5)
    job = asked(instance)
    stock = shelf.put

    def late(*part: Any) -> Part | None:
        monkeypatch.setattr(shelf, "put", stock)
        act(job, instance)
        return stock(*part)

    monkeypatch.setattr(shelf, "put", late)
    with pytest.raises(NotReady):
        act(job, instance)
    act(job, instance)

    assert whole(instance) == b"x" * 5


def test_a_job_brings_no_more_than_it_may(instance: Instance, book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.steps.publishing.MIB", 1)
    monkeypatch.setenv("DTROVE_LOG_PUBLISH_MIB", "4")
    config.current.cache_clear()
    try:
        book.write(PATH, b"old")
        book.turn(PATH)
        book.write(PATH, b"newer")
        job = asked(instance)
        with pytest.raises(NotReady):
            act(job, instance)
        act(job, instance)
    finally:
        monkeypatch.undo()
        config.current.cache_clear()

    assert whole(instance) == b"oldn"


def test_discarding_is_done_once_however_often_the_step_runs(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"old")
    finish(asked(instance), instance)
    book.turn(PATH)
    book.write(PATH, b"new")
    finish(asked(instance), instance)

    job = asked(instance, "discard", "publish")
    with pytest.raises(NotReady):
        act(job, instance)
    act(job, instance)
    finish(job, instance)

    assert whole(instance) == b"oldnew"
    finish(asked(instance, "discard"), instance)
    assert lying(instance) == {}


def test_only_the_log_that_is_meant_is_discarded(instance: Instance, book: Logbook) -> None:
    book.write(PATH, b"server's")
    book.write("/log/general", b"general's")
    finish(asked(instance), instance)
    finish(asked(instance, log="general"), instance)

    finish(asked(instance, "discard"), instance)

    assert whole(instance) == b"general's"


def test_more_than_s3_lists_and_deletes_at_once_is_discarded(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "AT_ONCE", 2)
    for offset in range(5):
        shelf.put(instance.instance_id, "server", "1-1-000", offset, b"x")

    shelf.clear(instance.instance_id)

    assert lying(instance) == {}


def test_switching_is_the_managers(simulation: Simulation, instance: Instance, ledger: Ledger) -> None:
    simulation.carry_out(asked(instance, "enable", log="general"))
    assert ledger.settings["noisy"] is True
    simulation.carry_out(asked(instance, "disable", log="general"))
    assert ledger.settings["noisy"] is False


def test_logs_wait_in_a_queue_of_their_own(instance: Instance, book: Logbook, ledger: Ledger) -> None:
    book.write(PATH, b"x")
    publishing = asked(instance)
    second = asked(instance)
    wish = place_wish(Wish("create_databases", [Database("a")]), instance, ledger, BY).job
    baton = {"cluster_id": wish.cluster_id, "primary_id": instance.instance_id, "instance_id": instance.instance_id}

    run_step(
        {"step": "ChangeAccounts", "execution": {"Id": execution_arn(wish), "Name": wish.job_id}, "baton": baton},
        "guest",
    )
    with pytest.raises(NotReady, match=f"{publishing.job_id} acts on db1 first"):
        act(second, instance)
    act(publishing, instance)

    assert (ledger.names, whole(instance)) == (["a"], b"x")


@pytest.mark.parametrize("acts", [["publish"], ["discard"]])
def test_what_was_published_goes_with_its_instance(
    simulation: Simulation, instance: Instance, book: Logbook, acts: list[str]
) -> None:
    """Without a note S3 is not asked."""
    book.write(PATH, b"x")
    simulation.carry_out(asked(instance, *acts))
    assert list(Shelved.of([instance.instance_id])) == ([instance.instance_id] if acts == ["publish"] else [])
    cluster = Cluster.get(instance.cluster_id)
    with s3_calls() as calls:
        simulation.carry_out(change("delete_cluster", fresh(cluster)).job)

    assert lying(instance) == {}
    assert calls == (["ListObjectsV2", "DeleteObjects", "ListObjectsV2"] if acts == ["publish"] else [])
    assert simulation.left() == []


def test_a_replica_that_goes_takes_only_its_own_along(simulation: Simulation, instance: Instance) -> None:
    cluster = Cluster.get(instance.cluster_id)
    simulation.carry_out(grown(cluster).job)
    source, replica = fresh(cluster).instances()
    for each in (source, replica):
        simulation.guests.insides[str(each.server_id)].logbook.write(PATH, each.instance_id.encode())
        simulation.carry_out(asked(each))

    simulation.carry_out(change("remove_instance", fresh(cluster), replica.instance_id).job)

    assert (whole(source), lying(replica)) == (source.instance_id.encode(), {})
    assert list(Shelved.of([source.instance_id, replica.instance_id])) == [source.instance_id]


class s3_calls:  # noqa: N801 - reads as what it is used as
    """The calls of our own client."""

    def __enter__(self) -> list[str]:
        self.calls: list[str] = []
        self.events = aws.client("s3").meta.events
        self.note: Callable[..., None] = lambda model, **_: self.calls.append(model.name)
        self.events.register("before-call.s3", self.note)
        return self.calls

    def __exit__(self, *_: object) -> None:
        self.events.unregister("before-call.s3", self.note)


def test_a_job_of_a_log_that_is_no_more_says_so(instance: Instance) -> None:
    job = asked(instance)
    job.log = "lost"
    job.save()

    with pytest.raises(Permanent, match="Log lost cannot be found"):
        act(job, instance)


def test_of_a_file_that_is_published_nothing_is_left() -> None:
    file = LogFile("/x", 1, 2, 8)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    parts = [Part("logs/i/server/0000000001-2-000/000000000000000.log", 8, at)]

    (left,) = stretches_of([file], parts)

    assert (left.begin, left.end) == (8, 8)


def test_a_url_leads_to_the_bucket_in_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(aws, "client", aws.client.__wrapped__)

    url = shelf.url_of(Part("logs/i/general/1-2-000/000000000000000.log", 1, datetime.now(UTC)))

    assert urlsplit(url).netloc == f"{BUCKET}.s3.eu-central-1.amazonaws.com"
