"""Deploying again: what changed is there, what did not is left alone."""

from pathlib import Path

import pytest

from local.prerequisites import settings_of
from local.target import DeploymentFailed
from tests.local.deployed import Tiny

pytestmark = pytest.mark.aws


def test_deploying_the_same_again_changes_nothing(tiny: Tiny) -> None:
    before = _last_change(tiny)

    assert tiny.redeploy() == tiny.outputs
    assert _last_change(tiny) == before


def _last_change(tiny: Tiny) -> object:
    events = tiny.aws.client("cloudformation").describe_stack_events(StackName="tiny")["StackEvents"]
    return events[0]["EventId"]


def test_changed_code_and_definitions_arrive(tiny: Tiny) -> None:
    app, definition = tiny.project / "app.py", tiny.project / "statemachines" / "limited.asl.json"
    originals = {file: file.read_text() for file in (app, definition)}
    states = tiny.aws.client("stepfunctions")
    machine = "arn:aws:states:us-east-1:000000000000:stateMachine:tiny-limited"
    try:
        app.write_text(originals[app].replace('return {"value": value}', 'return {"changed": value}'))
        definition.write_text(originals[definition].replace('"TimeoutSeconds": 2', '"TimeoutSeconds": 3'))
        tiny.redeploy()

        assert tiny.get("/echo/a") == (200, {"changed": "a"})
        assert '"TimeoutSeconds": 3' in states.describe_state_machine(stateMachineArn=machine)["definition"]
    finally:
        for file, text in originals.items():
            file.write_text(text)
        tiny.redeploy()


def test_a_failed_deployment_tells_why(tiny: Tiny) -> None:
    resources: Path = tiny.project / "resources.yaml"
    original = resources.read_text()
    try:
        resources.write_text(original.replace("StatusCode: 404", "StatusCode: 999"))
        with pytest.raises(DeploymentFailed, match=r"ROLLBACK_COMPLETE:\nRestAPI: .*status code"):
            tiny.redeploy()
    finally:
        resources.write_text(original)
        tiny.redeploy()
    assert tiny.get("/echo/a") == (200, {"value": "a"})


def test_settings_are_lines() -> None:
    text = '# comment\n\nDTROVE_PREFIX=sudo \nDTROVE_TOKENS={"a": "b=c"}\n'

    assert settings_of(text) == {"DTROVE_PREFIX": "sudo ", "DTROVE_TOKENS": '{"a": "b=c"}'}
