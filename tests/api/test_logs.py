"""Logs over the API: told as they are at this moment, changed by jobs; published files are there to be fetched."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib import config
from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.api.client import Answer, ApiCaller
from tests.ledger import RULED, Ledger
from tests.logbook import Logbook
from tests.orders_placed import change, fresh_job
from tests.simulation.service import Simulation

member, reader = ApiCaller(), ApiCaller("reader")
GENERAL, SERVER = "/log/general", "/log/server"


@pytest.fixture
def book(simulation: Simulation, instance_id: str) -> Logbook:
    return simulation.guests.insides[str(Instance.get(instance_id).server_id)].logbook


@pytest.fixture
def path(instance_id: str) -> str:
    return f"/instances/{instance_id}/log"


@pytest.fixture
def do(simulation: Simulation, path: str) -> Any:
    """Ask for a change of the log, carry out its job, and return how the log is then."""

    def do(log: str, *acts: str) -> Any:
        answer = member.post(path, {"name": log, **dict.fromkeys(acts, 1)})
        assert answer.status == 200, answer.body
        simulation.carry_out(Job.get(answer.headers["X-Dtrove-Job-Id"]))
        return shown(reader.post(path, {"name": log}))

    return do


def shown(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return answer.body["log"]


def test_each_log_is_listed_as_trove_shows_it(path: str, instance_id: str, book: Logbook) -> None:
    book.write(SERVER, b"seven\n.")

    general, server = reader.get(path).body["logs"]

    assert general == {
        "name": "general",
        "type": "USER",
        "status": "Disabled",
        "published": 0,
        "pending": 0,
        "container": "test-objects",
        "prefix": f"logs/{instance_id}/general/",
        "metafile": None,
    }
    assert (server["type"], server["status"], server["pending"]) == ("SYS", "Ready", 7)


def test_the_status_follows_what_is_written_and_published(do: Any, path: str, book: Logbook) -> None:
    assert shown(reader.post(path, {"name": "server"}))["status"] == "Unavailable"
    assert do("general", "enable")["status"] == "Enabled"
    book.write(GENERAL, b"")
    assert shown(reader.post(path, {"name": "general"}))["status"] == "Enabled"
    book.write(GENERAL, b"12345")
    assert shown(reader.post(path, {"name": "general"}))["status"] == "Ready"
    published = do("general", "publish")
    assert (published["status"], published["published"], published["pending"]) == ("Published", 5, 0)
    book.write(GENERAL, b"678")
    partial = shown(reader.post(path, {"name": "general"}))
    assert (partial["status"], partial["published"], partial["pending"]) == ("Partial", 5, 3)
    book.turn(GENERAL)
    book.write(GENERAL, b"9")
    rotated = shown(reader.post(path, {"name": "general"}))
    assert (rotated["status"], rotated["published"], rotated["pending"]) == ("Rotated", 5, 4)
    again = do("general", "disable", "discard", "publish")
    assert (again["status"], again["published"], again["pending"]) == ("Disabled", 9, 0)


def test_a_job_says_which_log_it_is_about_and_what_it_does(path: str) -> None:
    answer = member.post(path, {"name": "general", "publish": 1, "enable": True, "discard": 0, "disable": False})

    job = Job.get(answer.headers["X-Dtrove-Job-Id"])
    assert (job.workflow, job.title, job.log, job.acts) == (
        "change_log",
        "enable publish general",
        "general",
        ["enable", "publish"],
    )


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({}, 400, "name"),
        ({"name": 7}, 400, "name"),
        ({"name": "general", "publish": "yes"}, 400, "publish"),
        ({"name": "general", "publish": 2}, 400, "publish"),
        ({"name": "general", "enable": 1, "disable": 1}, 400, "disable"),
        ({"name": "general", "print": 1}, 400, "print"),
        ({"name": "server", "disable": 1}, 400, "disable"),
        ({"name": "guest"}, 404, "general, server"),
        ({"name": "guest", "publish": 1}, 404, "guest"),
    ],
)
def test_what_makes_no_sense_is_refused_naming_it(path: str, body: Any, status: int, named: str) -> None:
    answer = member.post(path, body)

    ((kind, fault),) = answer.body.items()
    assert (answer.status, fault["code"], named in fault["message"]) == (status, status, True), (kind, fault)
    assert [job.workflow for job in Job.scan()] == ["create_cluster"]


def test_a_reader_sees_how_logs_are_and_neither_changes_nor_reads_one(path: str) -> None:
    assert reader.post(path, {"name": "server"}).status == 200
    for answer in (
        reader.post(path, {"name": "server", "publish": 1}),
        reader.get(f"{path}/server/tail"),
        reader.get(f"{path}/server/files"),
    ):
        assert (answer.status, list(answer.body)) == (403, ["forbidden"])


def test_what_a_group_rules_fails_with_the_reason(simulation: Simulation, path: str, ledger: Ledger) -> None:
    ledger.settings["most"] = RULED
    answer = member.post(path, {"name": "general", "enable": 1})
    job = Job.get(answer.headers["X-Dtrove-Job-Id"])

    simulation.carry_out(job)

    assert (fresh_job(job).status, "configuration group" in str(fresh_job(job).message)) == (JobStatus.FAILED, True)


def test_an_instance_that_does_not_serve_has_no_log_to_be_told(path: str, instance_id: str) -> None:
    instance = Instance.get(instance_id)
    endings.succeed(change("stop_cluster", Cluster.get(instance.cluster_id)).job)

    for answer in (
        member.get(path),
        member.post(path, {"name": "server", "publish": 1}),
        member.get(f"{path}/server/tail"),
    ):
        assert answer.status == 422, answer.body


def test_the_last_lines_are_told_whatever_is_in_them(path: str, book: Logbook) -> None:
    book.write(SERVER, b"one\n\xff\0 two\n'three'\n")

    assert member.get(f"{path}/server/tail").body == {
        "log": {"name": "server", "lines": ["one", "\N{REPLACEMENT CHARACTER}\0 two", "'three'"]}
    }
    assert member.get(f"{path}/server/tail?lines=1").body["log"]["lines"] == ["'three'"]
    assert member.get(f"{path}/general/tail").body["log"]["lines"] == []
    assert member.get(f"{path}/guest/tail").status == 404


@pytest.mark.parametrize("lines", ["0", "1001", "-1", "x", "", "1e2", "\N{ARABIC-INDIC DIGIT ONE}", "9999999999"])
def test_how_many_lines_is_a_number_within_bounds(path: str, lines: str) -> None:
    answer = member.get(f"{path}/server/tail?lines={lines}".replace("\N{ARABIC-INDIC DIGIT ONE}", "%D9%A1"))

    assert (answer.status, answer.body["badRequest"]["message"]) == (
        400,
        "lines: must be a whole number from 1 to 1000",
    )


def test_published_files_are_listed_in_pages_each_with_a_url_of_its_own(do: Any, path: str, book: Logbook) -> None:
    for text in (b"one", b"two", b"three"):
        book.write(SERVER, text)
        do("server", "publish")

    first = member.get(f"{path}/server/files?limit=2").body
    second = member.get(f"{path}/server/files?{urlsplit(first['links'][0]['href']).query}").body

    files = first["files"] + second["files"]
    assert [each["bytes"] for each in files] == [3, 3, 5]
    assert "links" not in second
    assert sorted(each["key"] for each in files) == [each["key"] for each in files]
    signed = parse_qs(urlsplit(files[0]["url"]).query)
    assert (signed["X-Amz-Algorithm"], signed["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], ["900"])
    assert urlsplit(files[2]["url"]).path.endswith(f"/{files[2]['key']}")
    assert member.get(f"{path}/guest/files").status == 404


def test_one_may_not_read_more_than_a_guest_answers_with(path: str, book: Logbook) -> None:
    most = config.current().dtrove_output_limit_bytes // 4 * 3
    book.write(SERVER, b"x" * 2 * most)

    (line,) = member.get(f"{path}/server/tail").body["log"]["lines"]

    assert len(line) == most
