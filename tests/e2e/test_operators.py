"""What operators do and see: their own commands, the console, lost events, dead workers."""

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.api import Api, ApiError
from local.service import STACK, Service
from tests.e2e.clusters import Ordered

pytestmark = pytest.mark.guests
MACHINE = f"arn:aws:states:us-east-1:000000000000:stateMachine:{STACK}-"


def test_commands_run_once_and_their_output_is_kept_for_admins(running: Service, api: Api) -> None:
    cluster = Ordered.by(api, "redis", 1, volume_gib=None)
    instance = cluster.instances()[0]
    admin = Api(api.url, running.tokens["DTROVE_ADMIN_TOKEN"])
    errand = {"perform": {"name": "look", "commands": ["echo 'it'\"'\"'s me'", "hostname -I"]}}

    with pytest.raises(ApiError, match="401"):
        api.post(f"/mgmt/instances/{instance['id']}/action", errand)
    job_id = admin.post(f"/mgmt/instances/{instance['id']}/action", errand)["job"]["id"]
    cluster.ends(job_id)

    told = admin.get(f"/jobs/{job_id}")["job"]
    address = instance["ip"][0]
    assert told["output"].splitlines() == [
        f"[root@{address}] run: echo 'it'\"'\"'s me'",
        "it's me",
        f"[root@{address}] run: hostname -I",
        f"{address} ",
    ]
    assert told["requested_by"] == "admin"
    assert "output" not in api.get(f"/jobs/{job_id}")["job"]
    failing = {"perform": {"name": "fail", "commands": ["echo before", "exit 3", "echo after"]}}
    job_id = admin.post(f"/mgmt/instances/{instance['id']}/action", failing)["job"]["id"]
    cluster.ends(job_id, "FAILED")
    assert "after" not in admin.get(f"/jobs/{job_id}")["job"]["output"].replace("echo after", "")
    assert cluster.show()["status"] == "ACTIVE"
    cluster.delete()


def test_a_cluster_by_hand_from_the_console(running: Service, api: Api) -> None:
    states = running.aws.client("stepfunctions")
    order = {"name": "hand", "datastore": {"type": "redis", "version": "7.0"}, "size": 1, "flavorRef": "1"}

    for workflow, name, data in [("create_cluster", "by-hand-1", {"project_id": "demo", "cluster": order})]:
        states.start_execution(stateMachineArn=MACHINE + workflow, name=name, input=json.dumps(data))
    job = _job_named(api, "by-hand-1")
    api.await_job(job["id"])
    cluster_id = job["cluster_id"]
    assert api.get(f"/clusters/{cluster_id}")["cluster"]["status"] == "ACTIVE"

    by_id = json.dumps({"cluster_id": cluster_id})
    for number, workflow in enumerate(["restart_cluster", "rotate_key", "delete_cluster"]):
        states.start_execution(stateMachineArn=MACHINE + workflow, name=f"by-hand-{number + 2}", input=by_id)
        _job_named(api, f"by-hand-{number + 2}")
        assert api.await_job(f"by-hand-{number + 2}")["status"] == "SUCCEEDED"


def _job_named(api: Api, job_id: str) -> dict[str, str]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            found: dict[str, str] = api.get(f"/jobs/{job_id}")["job"]
            return found
        except ApiError:
            time.sleep(0.1)
    raise AssertionError(f"no job {job_id}")


def test_of_many_requests_at_once_one_wins(running: Service, api: Api) -> None:
    cluster = Ordered.by(api, "redis", 1, volume_gib=None)
    admin = Api(api.url, running.tokens["DTROVE_ADMIN_TOKEN"])
    path = f"/mgmt/instances/{cluster.instances()[0]['id']}/action"

    def attempt(_: int) -> int:
        try:  # for so long that the first is not through before the last one comes
            admin.post(path, {"perform": {"name": "hold", "commands": ["sleep 20"]}})
        except ApiError as error:
            return error.status
        return 202

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))

    assert sorted(answers) == [202, *[422] * 5]
    cluster.ends(api.newest_job(cluster.cluster_id)["id"])
    cluster.delete()


def test_an_aborted_creation_is_an_error_and_can_be_deleted(running: Service, api: Api) -> None:
    body = {"name": "cut", "datastore": {"type": "mysql", "version": "10.11"}, "size": 2, "flavorRef": "1"}
    made = api.post("/clusters", {"cluster": body})["cluster"]
    states = running.aws.client("stepfunctions")
    time.sleep(2)

    execution = MACHINE.replace(":stateMachine:", ":execution:") + f"create_cluster:{made['job_id']}"
    states.stop_execution(executionArn=execution)
    job = api.await_job(made["job_id"])

    assert (job["status"], job["message"]) == ("ABORTED", "Its execution was aborted by an operator.")
    assert api.get(f"/clusters/{made['id']}")["cluster"]["status"] == "ERROR"
    api.delete(f"/clusters/{made['id']}")
    assert api.await_job(api.newest_job(made["id"])["id"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize("function", ["cloud", "guest"])
def test_workers_killed_in_mid_step_are_a_retry(running: Service, api: Api, function: str) -> None:
    body = {"name": "killed", "datastore": {"type": "redis", "version": "7.0"}, "size": 2, "flavorRef": "1"}
    made = api.post("/clusters", {"cluster": body})["cluster"]
    killed = 0
    until = time.monotonic() + 20
    while killed < 2 and time.monotonic() < until:
        step = api.get(f"/jobs/{made['job_id']}")["job"]["step"]
        if step in {"cloud": {"create_server"}, "guest": {"prepare_datastore", "await_ssh"}}[function]:
            killed += _kill_workers(running, function)
            time.sleep(0.3)

    job = api.await_job(made["job_id"])

    assert killed
    assert job["status"] == "SUCCEEDED", job["message"]
    api.delete(f"/clusters/{made['id']}")
    assert api.await_job(api.newest_job(made["id"])["id"])["status"] == "SUCCEEDED"


def _kill_workers(running: Service, function: str) -> int:
    """Kill the workers of a function as the kernel's OOM killer would; return how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(running.aws.folder).encode() not in (process / "cmdline").read_bytes():
                continue
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        name = next((each for each in environment if each.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"")
        if function.encode() in name.lower() and b"sweep" not in name.lower():
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed
