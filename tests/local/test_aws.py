"""The embedded AWS: it starts, it is faithful, it leaves nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.aws import ROOT, EmbeddedAws, EmbeddedAwsError, running, start, stop
from tests.local.deployed import Tiny, until

pytestmark = pytest.mark.aws


@pytest.mark.parametrize("value", ["a%2541", "%2e", "a%2Fb", "al%40%25"])
def test_path_values_arrive_as_they_were_sent(tiny: Tiny, value: str) -> None:
    assert tiny.get(f"/echo/{value}") == (200, {"value": value})


def test_gateway_answers_unknown_routes_as_the_template_says(tiny: Tiny) -> None:
    assert tiny.get("/nowhere") == (404, {"itemNotFound": {"code": 404}})


def test_workers_see_only_what_lambda_sets(tiny: Tiny) -> None:
    _, seen = tiny.get("/surroundings")

    assert not [folder for folder in seen["path"] if "site-packages" in folder]
    ours = {name for name in seen["environment"] if not name.startswith(("AWS_", "_", "DTROVE_"))}
    assert ours == {"LANG", "LAMBDA_TASK_ROOT", "PATH", "TMPDIR", "TZ"}


def test_policies_are_enforced(tiny: Tiny) -> None:
    assert tiny.get("/forbidden") == (200, {"code": "AccessDeniedException"})


def test_retries_by_class_dead_workers_and_time_outs(tiny: Tiny) -> None:
    execution = tiny.run("retries", "one")

    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    assert (output["poll"]["retries"], output["crash"]["retries"]) == (2, 1)
    assert output["hang"]["Error"] == "Sandbox.Timedout"


def test_waits_between_retries_have_a_maximum(tiny: Tiny) -> None:
    execution = tiny.run("retries", "timed")

    seconds = (execution["stopDate"] - execution["startDate"]).total_seconds()
    assert seconds < 25  # unheeded, the second wait alone is 30 s


def test_context_has_the_execution(tiny: Tiny) -> None:
    execution = tiny.run("retries", "context")

    context = json.loads(execution["output"])["poll"]["execution"]
    assert (context["Id"], context["Name"]) == (execution["executionArn"], "context")
    assert (context["Input"], context["RedriveCount"]) == ({}, 0)


def test_a_handled_error_keeps_the_worker(tiny: Tiny) -> None:
    client = tiny.aws.client("lambda")
    stack = tiny.aws.client("cloudformation").describe_stack_resource(StackName="tiny", LogicalResourceId="Guest")
    name = stack["StackResourceDetail"]["PhysicalResourceId"]

    def fail() -> dict[str, Any]:
        answer = client.invoke(FunctionName=name, Payload=b'{"step": "Poll", "retries": 0}')
        return dict(json.loads(answer["Payload"].read()))

    first, second = fail(), fail()

    assert first["errorType"] == "NotReady"
    assert first["stackTrace"]
    assert first["errorMessage"] == second["errorMessage"]  # "worker <pid>"


def test_machines_have_time_limits_and_their_branches_end(tiny: Tiny) -> None:
    execution = tiny.run("limited", "two")

    assert execution["status"] == "TIMED_OUT"
    assert tiny.ending_of("two") == "TIMED_OUT"
    states = tiny.aws.client("stepfunctions")
    history = states.get_execution_history(executionArn=execution["executionArn"], reverseOrder=True)["events"]
    assert history[0]["type"] == "ExecutionTimedOut"


def test_the_same_name_and_input_is_the_same_execution_while_it_runs(tiny: Tiny) -> None:
    states = tiny.aws.client("stepfunctions")
    machine = {"stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:tiny-limited", "name": "three"}

    first = states.start_execution(**machine, input='{"a": 1}')
    again = states.start_execution(**machine, input='{"a": 1}')

    assert again["executionArn"] == first["executionArn"]
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**machine, input='{"a": 2}')
    states.stop_execution(executionArn=first["executionArn"])
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**machine, input='{"a": 1}')


def test_an_aborted_execution_stays_aborted(tiny: Tiny) -> None:
    states = tiny.aws.client("stepfunctions")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:tiny-limited"
    arn = states.start_execution(stateMachineArn=machine, name="four")["executionArn"]

    states.stop_execution(executionArn=arn)

    assert tiny.ending_of("four") == "ABORTED"
    assert states.describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_it_listens_on_loopback_only(aws: EmbeddedAws) -> None:
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    addresses = [line.split()[3] for line in listening.splitlines() if f"pid={aws.pid}," in line]
    assert addresses == [f"127.0.0.1:{aws.port}"]


def test_state_outlives_a_stop_that_keeps_it(tmp_path: Path) -> None:
    start(tmp_path / "aws").client("s3").create_bucket(Bucket="kept")
    stop(tmp_path / "aws", keep=True)

    aws = start(tmp_path / "aws")
    assert [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]] == ["kept"]

    stop(tmp_path / "aws")
    assert not (tmp_path / "aws").exists()
    assert not Path(f"/proc/{aws.pid}").exists()


def test_a_second_one_in_the_folder_is_refused(aws: EmbeddedAws) -> None:
    with pytest.raises(EmbeddedAwsError, match="already"):
        start(aws.folder)


def test_it_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from local.aws import embedded_aws
with embedded_aws(Path({str(tmp_path / "aws")!r})) as aws:
    print(aws.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)

    until(lambda: Path(f"/proc/{pid}/cmdline"), lambda file: not file.exists() or not file.read_bytes())
    assert running(tmp_path / "aws") is None
    assert not (tmp_path / "aws" / "tmp").exists()


def test_a_taken_port_is_refused(tmp_path: Path, aws: EmbeddedAws) -> None:
    with pytest.raises(EmbeddedAwsError, match="taken"):
        start(tmp_path / "aws", port=aws.port)


def test_stopping_one_that_was_killed_ends_its_workers(tmp_path: Path) -> None:
    """Else one of them goes on making what is about to be removed."""
    code = tmp_path / "tmp" / "ministack-lambda-x" / "worker.py"
    code.parent.mkdir(parents=True)
    code.write_text("import time; print('begun', flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, str(code)], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"begun\n"  # before that it has no name to be found by
        stop(tmp_path)

        assert worker.wait(5) == -signal.SIGKILL
