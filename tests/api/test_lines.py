"""Each line that the API writes names its request, as the answer does, and what that is about."""

import logging
from typing import Any

import pytest

from chalicelib import aws, journal
from chalicelib.api import clusters
from tests.api.client import ApiCaller
from tests.promises import NotPromised
from tests.written import Written, written

CLUSTER = {"cluster": {"name": "c", "datastore": {"type": "redis"}, "size": 2, "flavorRef": "1"}}
pytestmark = pytest.mark.usefixtures("catalog")


def asked(method: str, path: str, body: object = None) -> tuple[Written, Any]:
    with written(journal.Lines()) as lines:
        answer = ApiCaller().send(method, path, body)
    return lines, answer


def test_all_lines_of_a_request_name_it_and_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        class exceptions:  # noqa: N801 - as boto3's clients have it
            class ExecutionAlreadyExists(Exception):
                pass

        def start_execution(self, **_: object) -> None:
            raise ConnectionError

    real = aws.client
    monkeypatch.setattr(aws, "client", lambda name, **more: Down() if name == "stepfunctions" else real(name, **more))

    found, answer = asked("POST", "/clusters", CLUSTER)

    lines = [each for each in found.lines if each["service"] == "dtrove"]
    assert [each["message"] for each in lines] == ["launch refused", "request"]
    assert {each["request_id"] for each in lines} == {answer.headers["x-openstack-request-id"]}
    assert {each["job_id"] for each in lines} == {answer.body["cluster"]["job_id"]}
    assert (lines[1]["method"], lines[1]["status"], lines[1]["level"]) == ("POST", 200, "INFO")


def test_the_line_of_a_request_has_the_ids_of_its_path_and_nothing_else_of_it() -> None:
    found, _ = asked("GET", "/clusters/c-1/instances/i-1")
    (line,) = found.named("request")
    assert (line["project_id"], line["cluster_id"], line["instance_id"]) == ("p1", "c-1", "i-1")

    found, _ = asked("GET", "/clusters/correct%20horse?password=battery")
    assert "cluster_id" not in found.named("request")[0]
    assert not any(secret in text for text in found.texts for secret in ("horse", "battery", "member"))


def test_requests_are_counted_by_the_class_of_their_status() -> None:
    for path, status_class in (("/clusters", "2xx"), ("/clusters/nothing", "4xx")):
        found, _ = asked("GET", path)
        assert found.values("Requests", status_class=status_class) == [1]


def test_a_defect_is_counted_and_tells_where_it_is_but_not_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("correct-horse")

    monkeypatch.setattr(clusters, "page_of_clusters", broken)

    with written(journal.Lines()) as found, pytest.raises(NotPromised, match="500 is not in the document"):
        ApiCaller().get("/clusters")

    assert (found.values("Defects"), found.values("Requests", status_class="5xx")) == ([1], [1])
    (line,) = found.named("a defect of ours")
    assert (line["error"], line["at"][-1].split()[1]) == ("KeyError", "broken")
    assert not any("correct-horse" in text for text in found.texts)


def test_nothing_of_one_request_is_in_the_lines_of_the_next() -> None:
    asked("GET", "/clusters/c-1")

    found, _ = asked("GET", "/clusters")

    assert "cluster_id" not in found.named("request")[0]
    assert journal.known() == {}


def test_lines_of_other_libraries_name_the_request_too() -> None:
    with written(journal.Lines()) as found, journal.invocation(request_id="req-1"):
        logging.getLogger("botocore").warning("slow: %s", "down")
        try:
            raise ValueError("correct-horse")
        except ValueError:
            logging.getLogger("botocore").exception("lost")

    assert [(each["message"], each["request_id"]) for each in found.lines] == [
        ("slow: down", "req-1"),
        ("lost", "req-1"),
    ]
    assert found.lines[1]["error"] == "ValueError"
    assert "correct-horse" not in found.texts[1]
