"""An update breaks no running execution: today's steps carry out what the last release's state machines ask of them."""

import json

import pytest

from chalicelib import steps
from chalicelib.steps.entry import snake_case
from chalicelib.steps.step import STEPS
from tests import console
from tests.simulation.service import Simulation
from tests.statemachines.release import Baton, Release, carry_out, offer_group, run_by_hand, shape
from tests.statemachines.test_definitions import PARAMETERS, tasks

steps.load()
LAST = Release.last()


@pytest.mark.parametrize("workflow", LAST.definitions)
def test_every_step_it_calls_exists_under_its_privilege_and_is_told_the_same(workflow: str) -> None:
    for name, state in tasks(LAST.definitions[workflow]):
        assert state["Resource"] == f"${{{STEPS[snake_case(name)].privilege}}}"
        assert state["Parameters"] == PARAMETERS


def test_what_an_execution_has_in_its_hands_is_enough(simulation: Simulation, catalog: None) -> None:
    """It was opened by the last release's step, and has no more than that handed on."""
    offer_group()

    def as_it_was(workflow: str, baton: Baton) -> Baton:
        return {key: baton[key] for key in LAST.opened[workflow]}

    assert carry_out(simulation, LAST.definitions, as_it_was) == {
        workflow: "SUCCEEDED" for workflow in console.inputs() if workflow in LAST.definitions
    }


def test_batons_keep_what_the_last_release_handed_on(simulation: Simulation, catalog: None) -> None:
    """So that its steps can go on where today's began: a rollback."""
    offer_group()

    today = Release.of_today(simulation)

    for workflow, keys in LAST.opened.items():
        assert today.opened[workflow].items() >= keys.items()


def test_a_step_that_is_gone_would_be_told(simulation: Simulation, catalog: None) -> None:
    offer_group()
    text = json.dumps(LAST.definitions["create_cluster"]).replace("StartPrimary", "StartPrimaryAsBefore")
    order = console.inputs()["create_cluster"]

    ended = run_by_hand(simulation, json.loads(text), "create_cluster", order, lambda _, baton: baton)

    assert "start_primary_as_before is not a step of guest" in ended


def test_a_shape_is_keys_and_types() -> None:
    assert shape({"b": ["x"], "a": "y"}) == {"a": "str", "b": "list"}
