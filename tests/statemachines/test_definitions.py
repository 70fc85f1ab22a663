"""Every state machine, statically: tasks are steps, steps are used, retries are the house's, form is the house's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import steps
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.steps.entry import snake_case
from chalicelib.steps.step import STEPS
from local.format_asl import render

steps.load()
MACHINES = sorted((Path(__file__).parents[2] / "statemachines").glob("*.asl.json"))
SHORT = {
    "ErrorEquals": ["NotReady"],
    "IntervalSeconds": 1,
    "MaxAttempts": 60,
    "BackoffRate": 1.3,
    "MaxDelaySeconds": 15,
}
LONGEST = {
    "ErrorEquals": ["NotReady"],
    "IntervalSeconds": 5,
    "MaxAttempts": 1500,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
}
LONG = {"ErrorEquals": ["NotReady"], "IntervalSeconds": 5, "MaxAttempts": 90, "BackoffRate": 2, "MaxDelaySeconds": 60}
TRANSIENT = {
    "ErrorEquals": [
        "Transient",
        "Lambda.TooManyRequestsException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.Unknown",
        "Runtime.ExitError",
        "Sandbox.Timedout",
        "States.Timeout",
    ],
    "IntervalSeconds": 2,
    "MaxAttempts": 6,
    "BackoffRate": 2,
    "JitterStrategy": "FULL",
}
TRANSIENT_OF_HOURS = TRANSIENT | {"MaxAttempts": 60, "MaxDelaySeconds": 60}  # all of a state that lasts so long
PARAMETERS = {"step.$": "$$.State.Name", "execution.$": "$$.Execution", "baton.$": "$"}
SELECTOR = {"cluster_id.$": "$.cluster_id", "primary_id.$": "$.primary_id", "instance_id.$": "$$.Map.Item.Value"}


CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "KeepConsole"}]
CATCH_ANYTHING = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "GiveUp"}]
BRINGS_UP = {"CreateServer", "StartServer", "RebootServer", "AwaitSsh"}
IF_IT_DOES_NOT = ("KeepConsole", "GiveUp")


def states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every state: in the order it is reached, those inside Maps among them, and then those after an error."""
    name: str | None = definition["StartAt"]
    while name:
        state = definition["States"][name]
        yield name, state
        if state["Type"] == "Map":
            yield from states(state["ItemProcessor"])
        name = state.get("Next")
    yield from ((name, definition["States"][name]) for name in IF_IT_DOES_NOT if name in definition["States"])


def tasks(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, state) for name, state in states(definition) if state["Type"] == "Task"]


def parts(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the definition and those of its Maps."""
    yield definition
    for state in definition["States"].values():
        if state["Type"] == "Map":
            yield from parts(state["ItemProcessor"])


@pytest.fixture(params=MACHINES, ids=lambda path: path.name.removesuffix(".asl.json"))
def machine(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    path: Path = request.param
    return path.name.removesuffix(".asl.json"), json.loads(path.read_text())


def test_there_is_one_file_a_workflow() -> None:
    assert {path.name.removesuffix(".asl.json") for path in MACHINES} == set(WORKFLOWS)


def test_every_task_is_a_step_under_its_privilege_with_the_house_retry(machine: tuple[str, dict[str, Any]]) -> None:
    for name, state in tasks(machine[1]):
        assert state["Resource"] == f"${{{STEPS[snake_case(name)].privilege}}}"
        assert state["Retry"] in [[SHORT, TRANSIENT], [LONG, TRANSIENT], [LONGEST, TRANSIENT_OF_HOURS]]
        assert state["Parameters"] == PARAMETERS


def test_its_steps_are_those_the_workflow_counts_its_percent_by(machine: tuple[str, dict[str, Any]]) -> None:
    workflow, definition = machine

    if_all_goes_well = [name for name, _ in tasks(definition) if name not in IF_IT_DOES_NOT]
    assert tuple(snake_case(name) for name in if_all_goes_well) == WORKFLOWS[workflow].steps
    assert definition["TimeoutSeconds"] == WORKFLOWS[workflow].timeout_seconds


def test_where_a_server_may_not_come_up_its_console_is_kept_and_then_the_error_is_told(
    machine: tuple[str, dict[str, Any]],
) -> None:
    for part in parts(machine[1]):
        catches = {name: state["Catch"] for name, state in part["States"].items() if "Catch" in state}
        expected = dict.fromkeys(BRINGS_UP & set(part["States"]), CATCH)
        assert catches == (expected | {"KeepConsole": CATCH_ANYTHING} if expected else {})
        if expected:
            keep, give_up = (part["States"][name] for name in IF_IT_DOES_NOT)
            assert (keep["Next"], give_up["Next"]) == ("GiveUp", part["StartAt"])


def test_maps_pass_ids_and_keep_the_baton(machine: tuple[str, dict[str, Any]]) -> None:
    for _, state in states(machine[1]):
        if state["Type"] == "Map":
            assert state["ItemSelector"] == SELECTOR
            assert state["ItemsPath"] in {"$.instance_ids", "$.replica_ids"}
            assert state["ResultPath"] is None


def test_it_is_short_and_says_what_it_is(machine: tuple[str, dict[str, Any]]) -> None:
    assert len(list(states(machine[1]))) <= 13
    assert machine[1]["Comment"].endswith(".")


def test_every_step_is_used() -> None:
    used = {snake_case(name) for path in MACHINES for name, _ in tasks(json.loads(path.read_text()))}

    assert used == set(STEPS)


def test_instances_are_provisioned_the_same_way_everywhere() -> None:
    found = [json.loads(path.read_text())["States"].get("ProvisionInstances") for path in MACHINES]
    first, *others = [each for each in found if each]

    assert others
    assert all({**each, "Next": ""} == {**first, "Next": ""} for each in others)


def test_members_are_configured_one_after_the_other() -> None:
    """If one refuses, none is in the middle of it: Step Functions would give up a step that acts on its server."""
    (path,) = [each for each in MACHINES if each.name == "configure_instances.asl.json"]

    assert json.loads(path.read_text())["States"]["ConfigureInstances"]["MaxConcurrency"] == 1


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.name)
def test_the_file_is_in_house_form(path: Path) -> None:
    assert path.read_text() == render(json.loads(path.read_text())) + "\n"
