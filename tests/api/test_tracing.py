"""Each line that the API logs names its request, as the answer does."""

import json
import logging

import pytest

from chalicelib import aws
from chalicelib.api.tracing import name_request, request_id
from tests.api.client import ApiCaller

CLUSTER = {"cluster": {"name": "c", "datastore": {"type": "redis"}, "size": 2, "flavorRef": "1"}}


@pytest.mark.usefixtures("catalog")
def test_all_lines_of_a_request_name_it_and_its_job(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Down:
        class exceptions:  # noqa: N801 - as boto3's clients have it
            class ExecutionAlreadyExists(Exception):
                pass

        def start_execution(self, **_: object) -> None:
            raise ConnectionError

    real = aws.client
    monkeypatch.setattr(aws, "client", lambda name, **more: Down() if name == "stepfunctions" else real(name, **more))

    answer = ApiCaller().post("/clusters", CLUSTER)

    lines = [json.loads(each.getMessage()) for each in caplog.records if each.name == "dtrove"]
    assert [each.get("event") for each in lines] == ["launch_refused", None]
    assert {each["request_id"] for each in lines} == {answer.headers["x-openstack-request-id"]}
    assert {each["job_id"] for each in lines} == {answer.body["cluster"]["job_id"]}


@pytest.mark.parametrize(
    ("id_", "message", "line"),
    [
        ("req-1", "words", "req-1: words"),
        ("req-1", '{"a": 1}', '{"request_id": "req-1", "a": 1}'),
        ("req-1", '{"request_id": "req-1"}', '{"request_id": "req-1"}'),
        ("", "words", "words"),
    ],
)
def test_a_line_is_given_the_id_once(id_: str, message: str, line: str) -> None:
    request_id.set(id_)
    written = logging.LogRecord("dtrove", logging.INFO, "", 0, message, None, None)

    assert name_request(written)
    assert written.getMessage() == line
    request_id.set("")
