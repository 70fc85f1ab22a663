"""Databases, users and root over the API: asked of the guest, changed by jobs that keep what is secret sealed."""

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib.api import guests
from chalicelib.datastores.accounts import User
from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.api.client import Answer, ApiCaller
from tests.api.served import created
from tests.ledger import Ledger
from tests.orders_placed import active, fresh_job
from tests.simulation.service import Simulation

member, reader, other = ApiCaller(), ApiCaller("reader"), ApiCaller("other", "p2")
PASSWORD = "correct horse battery"


@pytest.fixture
def do(simulation: Simulation, instance_id: str) -> Any:
    """Send a change below the instance, and carry out its job."""

    def do(method: str, path: str, body: Any = None) -> Answer:
        answer = member.send(method, f"/instances/{instance_id}{path}", body)
        if job_id := answer.headers.get("X-Dtrove-Job-Id"):
            simulation.carry_out(Job.get(job_id))
            assert (fresh_job(Job.get(job_id)).status, fresh_job(Job.get(job_id)).message) == (
                JobStatus.SUCCEEDED,
                None,
            )
        return answer

    return do


def users_of(instance_id: str) -> list[Any]:
    return list(reader.get(f"/instances/{instance_id}/users").body["users"])


def test_an_instance_is_born_with_databases_and_users(simulation: Simulation, ledger: Ledger) -> None:
    users = [{"name": "al", "password": PASSWORD, "databases": [{"name": "a"}]}]

    instance_id = created(simulation, databases=[{"name": "a"}, {"name": "b"}], users=users)

    assert ledger.names == ["a", "b"]
    assert ledger.logins["al", "%"].password == PASSWORD
    assert users_of(instance_id) == [{"name": "al", "host": "%", "databases": [{"name": "a"}]}]
    assert Cluster.get(Instance.get(instance_id).cluster_id).first_accounts is None


NO_LISTS: tuple[Any, ...] = ({}, "", 0, False)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"databases": [{"name": "mysql"}]}, "mysql"),
        ({"databases": [{"name": "a"}, {"name": "a"}]}, "twice"),
        ({"users": [{"name": "al"}]}, "password"),
        ({"users": [{"name": "root", "password": PASSWORD}]}, "root"),
        ({"users": [{"name": "al", "password": PASSWORD, "databases": [{"name": "a"}]}]}, "databases"),
        ({"users": [{"name": "al", "password": PASSWORD}] * 101}, "at most 100"),
        ({"databases": "a"}, "databases"),
        *(({key: no_list}, key) for key in ("databases", "users") for no_list in NO_LISTS),
        ({"users": [{"name": "al", "password": PASSWORD, "databases": {}}]}, "databases"),
        ({"databases": [{}]}, "name"),
    ],
)
def test_a_bad_birth_is_refused(ledger: Ledger, more: Any, named: str) -> None:
    answer = member.post(
        "/instances", {"instance": {"name": "x", "flavorRef": 1, "datastore": {"type": "ledger"}, **more}}
    )

    assert (answer.status, named in answer.body["badRequest"]["message"]) == (400, True), answer.body
    assert list(Cluster.scan()) == []


def test_databases_are_created_listed_and_dropped(do: Any, instance_id: str) -> None:
    path = f"/instances/{instance_id}/databases"

    assert (
        do("POST", "/databases", {"databases": [{"name": "b"}, {"name": "a", "character_set": "utf8"}]}).status == 202
    )
    assert do("POST", "/databases", {"database": {"name": "c"}}).status == 202
    first = reader.get(f"{path}?limit=2").body
    assert [each["name"] for each in first["databases"]] == ["a", "b"]
    assert reader.get(f"{path}?limit=2&marker=b").body == {"databases": [{"name": "c"}]}
    assert "marker=b" in first["links"][0]["href"]
    assert do("DELETE", "/databases/b").status == 202
    assert reader.get(path).body == {"databases": [{"name": "a"}, {"name": "c"}]}
    assert reader.get(f"{path}/a").status == 501


def test_users_are_created_changed_granted_and_dropped(do: Any, instance_id: str, ledger: Ledger) -> None:
    do("POST", "/databases", {"databases": [{"name": "a"}]})
    al = {"name": "al", "password": PASSWORD}

    assert do("POST", "/users", {"users": [al, {"name": "al", "host": "10.1.2.3", "password": PASSWORD}]}).status == 202
    assert do("POST", "/users/bo", {"users": {"name": "bo", "password": PASSWORD}}).status == 202
    assert [(each["name"], each["host"]) for each in users_of(instance_id)] == [
        ("al", "%"),
        ("al", "10.1.2.3"),
        ("bo", "%"),
    ]
    assert do("PUT", "/users/al%4010.1.2.3/databases", {"databases": [{"name": "a"}]}).status == 202
    assert do("PUT", "/users/al/databases", {"databases": [{"name": "a"}]}).status == 202
    assert reader.get(f"/instances/{instance_id}/users/al@10%2e1.2.3/databases").body == {"databases": [{"name": "a"}]}
    assert do("DELETE", "/users/al/databases/a").status == 202
    assert do("PUT", "/users", {"users": [{"name": "al", "password": "another one"}]}).status == 202
    assert (ledger.logins["al", "%"].password, ledger.logins["al", "%"].databases) == ("another one", ())
    assert do("PUT", "/users/al", {"user": {"name": "ann", "host": "10.0.0.1"}}).status == 202
    assert ledger.logins["ann", "10.0.0.1"].password == "another one"
    assert do("DELETE", "/users/bo").status == 202
    assert [each["name"] for each in users_of(instance_id)] == ["al", "ann"]


REFUSED: list[tuple[str, str, Any, int, str]] = [
    ("POST", "/databases", {"databases": [{"name": "there"}]}, 400, "there"),
    ("POST", "/databases", {"databases": [{"name": "mysql"}]}, 400, "mysql"),
    ("POST", "/databases", {"databases": []}, 400, "databases"),
    ("POST", "/databases", {}, 400, "databases"),
    ("POST", "/databases", {"databases": [{"name": 7}]}, 400, "name"),
    ("DELETE", "/databases/none", None, 404, "none"),
    ("POST", "/users", {"users": [{"name": "al", "password": PASSWORD}]}, 400, "al"),
    ("POST", "/users", {"users": [{"name": "x"}]}, 400, "password"),
    ("POST", "/users", {"users": [{"name": "x", "password": "short"}]}, 400, "x"),
    ("POST", "/users", {"users": [{"name": "x", "password": PASSWORD, "databases": [{"name": "none"}]}]}, 400, "none"),
    ("PUT", "/users", {"users": [{"name": "x", "password": PASSWORD}]}, 404, "x"),
    ("PUT", "/users/al", {"user": {}}, 400, "user['name']"),
    ("PUT", "/users/al", {"user": {"name": "root"}}, 400, "root"),
    ("PUT", "/users/x", {"user": {"name": "y"}}, 404, "x"),
    ("GET", "/users/x", None, 404, "x"),
    ("DELETE", "/users/al@10.0.0.1", None, 404, "al@10.0.0.1"),
    ("PUT", "/users/al/databases", {"databases": [{"name": "none"}]}, 400, "none"),
    ("DELETE", "/users/al/databases/there", None, 404, "there"),
    ("POST", "/root", {"password": "short"}, 400, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "named"), REFUSED)
def test_what_cannot_be_is_refused_and_nothing_begins(
    do: Any,
    instance_id: str,
    ledger: Ledger,
    method: str,
    path: str,
    body: Any,
    status: int,
    named: str,
) -> None:
    ledger.names, ledger.logins = ["there"], {("al", "%"): User("al", password="x")}

    answer = do(method, path, body)

    assert (answer.status, named in next(iter(answer.body.values()))["message"]) == (status, True), answer.body
    assert len(list(Job.scan())) == 1


def test_root_is_told_enabled_and_disabled(do: Any, instance_id: str, ledger: Ledger, simulation: Simulation) -> None:
    path = f"/instances/{instance_id}/root"
    assert reader.get(path).body == {"rootEnabled": True}

    assert do("DELETE", "/root").status == 204
    simulation.carry_out(next(each for each in Job.scan() if each.title == "disable_root"))
    assert reader.get(path).body == {"rootEnabled": False}

    drawn = member.send("POST", path).body["user"]
    simulation.carry_out(next(each for each in Job.scan() if each.title == "enable_root"))
    assert (drawn["name"], len(drawn["password"]), ledger.root_password) == ("default", 32, drawn["password"])
    assert member.post(path, {"password": PASSWORD}).body["user"]["password"] == PASSWORD


def test_what_is_secret_is_sealed_until_the_job_ends_and_then_gone(instance_id: str, simulation: Simulation) -> None:
    answer = member.post(f"/instances/{instance_id}/users", {"users": [{"name": "al", "password": PASSWORD}]})
    job = Job.get(answer.headers["X-Dtrove-Job-Id"])

    assert job.wish is not None
    assert PASSWORD not in str([each.serialize() for each in Job.scan()])
    machine = simulation.carry_out(job)
    assert fresh_job(job).wish is None
    assert PASSWORD not in f"{simulation.log} {vars(machine)} {answer.body}"


def test_a_job_that_failed_keeps_no_wish_and_cannot_be_redriven(instance_id: str, simulation: Simulation) -> None:
    answer = member.post(f"/instances/{instance_id}/databases", {"databases": [{"name": "a"}]})
    job = Job.get(answer.headers["X-Dtrove-Job-Id"])

    endings.fail(job, JobStatus.FAILED, "x")

    assert fresh_job(job).wish is None


def test_a_replica_s_are_its_source_s(simulation: Simulation, instance_id: str) -> None:
    replica = member.post("/instances", {"instance": {"name": "copy", "replica_of": instance_id}}).body["instance"]
    simulation.carry_out(Job.get(replica["job_id"]))

    answer = member.post(f"/instances/{replica['id']}/databases", {"databases": [{"name": "a"}]})

    assert (answer.status, instance_id in answer.body["badRequest"]["message"]) == (400, True)
    assert reader.get(f"/instances/{replica['id']}/databases").body == {"databases": []}


def test_what_has_no_accounts_says_so(simulation: Simulation, ledger: Ledger) -> None:
    instance_id = active(1).instance_ids[0]

    assert other.get(f"/instances/{instance_id}/users").status == 404
    assert reader.get(f"/clusters/{Instance.get(instance_id).cluster_id}/root").status in {501, 503}


def test_a_guest_that_does_not_answer_in_time_is_a_503(instance_id: str) -> None:
    def hang(event: dict[str, str]) -> dict[str, Any]:
        raise ReadTimeoutError(endpoint_url="http://x")

    guests.ask_through(hang)

    assert list(reader.get(f"/instances/{instance_id}/users").body) == ["serviceUnavailable"]


def test_a_guest_that_is_away_is_a_503(instance_id: str, simulation: Simulation) -> None:
    simulation.cloud.servers.clear()

    answer = reader.get(f"/instances/{instance_id}/users")

    assert (answer.status, "cannot be asked" in answer.body["serviceUnavailable"]["message"]) == (503, True)


def test_what_does_not_serve_is_not_asked(instance_id: str) -> None:
    member.post(f"/instances/{instance_id}/action", {"stop": {}})

    assert reader.get(f"/instances/{instance_id}/users").status == 422
    assert member.post(f"/instances/{instance_id}/databases", {"databases": [{"name": "a"}]}).status == 422


def test_a_name_with_an_at_is_another_s_name_and_host(do: Any, instance_id: str, ledger: Ledger) -> None:
    do("POST", "/users", {"users": [{"name": "a@10.0.0.1", "password": PASSWORD}]})

    assert reader.get(f"/instances/{instance_id}/users/a%4010.0.0.1").body["user"]["name"] == "a@10.0.0.1"
    assert do("POST", "/users", {"users": [{"name": "a", "host": "10.0.0.1", "password": PASSWORD}]}).status == 202
    assert reader.get(f"/instances/{instance_id}/users/a%4010.0.0.1").body["user"]["name"] == "a"
    assert do("DELETE", "/users/a%4010.0.0.1%40%25").status == 202
    assert [each["name"] for each in users_of(instance_id)] == ["a"]
