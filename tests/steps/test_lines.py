"""What functions write: each line names what it is about, and none has a secret, whatever was done."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

import app
from chalicelib import journal, sealing
from chalicelib.errors import Permanent, Transient
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.steps import world
from chalicelib.steps.entry import run_step, sweep_jobs
from tests.api.client import ApiCaller
from tests.ledger import Ledger
from tests.orders_placed import ordered
from tests.simulation.service import Simulation
from tests.steps.calls import event
from tests.written import Written, written

PASSWORDS = ("correct-horse-battery", "staple-of-a-user", "drawn-by-nobody")
NODE = {"flavorRef": "1", "volume": {"size": 1}}
member = ApiCaller()


class Call:
    aws_request_id = "lambda-1"


@pytest.fixture
def service(simulation: Simulation, ledger: Ledger) -> Simulation:
    world.current().log = world.write_log
    return simulation


def do(service: Simulation, method: str, path: str, body: Any = None) -> Any:
    """Send a request and carry out the jobs that are open then."""
    answer = member.send(method, path, body)
    assert answer.status < 300, answer.body
    for job in Job.scan():
        if job.status == "RUNNING":
            service.carry_out(job)
    return answer.body


def a_life(service: Simulation) -> Iterator[str]:
    """A cluster's and an instance's, all that deals with secrets in it; yields what was secret and is known outside."""
    ledger = {"type": "ledger", "version": "1"}
    made = do(service, "POST", "/clusters", {"cluster": {"name": "c", "datastore": ledger, "instances": [NODE] * 3}})
    yield made["cluster"]["password"]
    cluster_id = made["cluster"]["id"]
    users = [{"name": "al", "password": PASSWORDS[0], "databases": [{"name": "a"}]}]
    more = {"databases": [{"name": "a"}], "users": users}
    born = do(service, "POST", "/instances", {"instance": {"name": "i", "datastore": ledger, **NODE, **more}})
    yield born["instance"].get("password", PASSWORDS[0])
    path = f"/instances/{born['instance']['id']}"
    do(service, "POST", f"{path}/users", {"users": [{"name": "bo", "password": PASSWORDS[1]}]})
    do(service, "PUT", f"{path}/users", {"users": [{"name": "bo", "password": PASSWORDS[2]}]})
    yield do(service, "POST", f"{path}/root")["user"]["password"]
    do(service, "POST", f"{path}/action", {"restart": {}})
    do(service, "POST", f"/clusters/{cluster_id}", {"rotate_key": {}})
    yield from sealed()
    do(service, "DELETE", f"/clusters/{cluster_id}")
    do(service, "DELETE", path)


def sealed() -> Iterator[str]:
    for key in Key.scan():
        yield from (value for value in sealing.unseal(key.cluster_id, key.private).values() if value)
    for cluster in Cluster.scan():
        yield from (value for value in sealing.unseal(cluster.cluster_id, cluster.passwords).values() if value)


def test_no_line_has_a_secret_that_was_made_meanwhile(service: Simulation) -> None:
    with written() as lines:
        secrets = {*a_life(service), *PASSWORDS}

    steps = {line["step"] for line in lines.named("step")}
    assert {"create_server", "prepare_datastore", "join_replica", "change_accounts", "trust_key"} <= steps
    parts = {part for secret in secrets for part in secret.splitlines() if "KEY-----" not in part}
    assert len(parts) > 15
    assert all(len(part) > 4 for part in parts)
    assert len(lines.texts) > 50
    assert [(part, text) for part in parts for text in lines.texts if part in text] == []


def test_every_line_of_a_step_names_what_it_is_about(service: Simulation) -> None:
    placed = ordered(1)
    told = event(placed, "CreateServer")

    with written() as lines:
        app.cloud(told, Call())

    (line,) = lines.lines
    ids = {"aws_request_id": "lambda-1", "job_id": placed.job.job_id, "step": "create_server"}
    ids |= {name: told["baton"][name] for name in ("cluster_id", "instance_id")}
    assert {name: line[name] for name in ids} == ids
    assert (line["level"], line["message"], line["outcome"], line["service"]) == ("INFO", "step", "ok", "dtrove")
    assert journal.known() == {}


@pytest.mark.parametrize(
    ("error", "outcome", "level", "said"),
    [
        (Transient("the cloud hiccuped"), "Transient", "WARNING", "the cloud hiccuped"),
        (Permanent("the disk is full"), "Permanent", "ERROR", "the disk is full"),
        (KeyError("correct-horse"), "Defect", "ERROR", "KeyError in test_lines.py"),
    ],
)
def test_a_step_that_fails_tells_how_and_of_a_defect_only_where(
    service: Simulation, error: Exception, outcome: str, level: str, said: str
) -> None:
    def broken() -> Any:
        raise error

    world.current().provider = broken

    with written() as lines, pytest.raises((Transient, Permanent)):
        run_step(event(ordered(1), "CreateServer"), "cloud")

    (line,) = lines.named("step")
    assert (line["outcome"], line["level"]) == (outcome, level)
    assert said in line["error"]
    assert lines.values("StepSeconds", step="create_server", outcome=outcome) == [0]
    assert lines.values("Defects") == ([1] if outcome == "Defect" else [])
    assert "correct-horse" not in "".join(lines.texts)


def test_a_step_nobody_knows_is_counted_under_one_name(service: Simulation) -> None:
    with written() as lines, pytest.raises(Permanent):
        run_step(event(ordered(1), "Explode123"), "cloud")

    assert lines.values("StepSeconds", step="explode123", outcome="Permanent") == []
    assert lines.counted


def test_a_defect_of_the_sweep_says_where_and_reaches_lambda_without_its_words(
    service: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> list[str]:
        raise KeyError("correct-horse")

    monkeypatch.setattr("chalicelib.jobs.sweep.sweep", broken)

    with written() as lines, pytest.raises(Permanent, match=r"^KeyError in test_lines.py:\d+$") as raised:
        sweep_jobs(Call())

    assert raised.value.__suppress_context__
    assert (lines.values("Defects"), lines.lines[0]["aws_request_id"]) == ([1], "lambda-1")


def test_each_line_is_one_json_object_also_with_newlines_in_it(service: Simulation) -> None:
    with written() as lines:
        journal.tell("x", said="one\ntwo")

    assert ["\n" in text for text in lines.texts] == [False]
    assert json.loads(lines.texts[0])["said"] == "one\ntwo"


def test_the_api_writes_the_same_fields_as_the_rest() -> None:
    """Only what X-Ray knows is Powertools' alone."""
    with written(journal.Lines()) as ours, written() as theirs, journal.invocation(request_id="req-1"):
        journal.tell("x", status=200, absent=None)

    line, other = ours.lines[0], theirs.lines[0]
    assert set(line) == set(other)
    same = ("level", "message", "location", "service", "request_id", "status")
    assert [line[name] for name in same] == [other[name] for name in same]
    assert line["timestamp"][:19] == other["timestamp"][:19]


def read_of(lines: Written) -> Any:
    return lines.named("read")[0]


def test_a_read_names_the_request_that_it_is_made_for(service: Simulation) -> None:
    ledger = {"type": "ledger", "version": "1"}
    born = do(service, "POST", "/instances", {"instance": {"name": "i", "datastore": ledger, **NODE}})
    instance_id = born["instance"]["id"]

    with written() as lines:
        answer = member.get(f"/instances/{instance_id}/users")

    assert (read_of(lines)["request_id"], read_of(lines)["instance_id"], read_of(lines)["read"]) == (
        answer.headers["x-openstack-request-id"],
        instance_id,
        "accounts",
    )
