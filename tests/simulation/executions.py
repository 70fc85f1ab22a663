"""Step Functions' own memory of our executions, kept in moto, so that describe_execution tells how they really are."""

from datetime import UTC, datetime
from typing import Any

from moto.stepfunctions.models import Execution, StateMachine, stepfunctions_backends

from tests.conftest import ACCOUNT, REGION

__all__ = ["HEARD_OF", "Execution", "all_of_them", "begun", "end", "event_of", "machines", "running"]

HEARD_OF = {"FAILED", "TIMED_OUT", "ABORTED"}  # the rule BadEndings of resources.yaml


def machines() -> list[StateMachine]:
    return list(stepfunctions_backends[ACCOUNT][REGION].state_machines)


def all_of_them() -> list[Execution]:
    return [each for machine in machines() for each in machine.executions]


def running() -> list[Execution]:
    return [each for each in all_of_them() if each.status == "RUNNING"]


def begun(arn: str, order: str) -> Execution:
    """Return the execution, starting it as somebody at the console would unless it was started before."""
    found = next((each for each in all_of_them() if each.execution_arn == arn), None)
    if found is not None:
        return found
    states = stepfunctions_backends[ACCOUNT][REGION]
    machine_arn, _, name = arn.replace(":execution:", ":stateMachine:", 1).rpartition(":")
    return states.start_execution(machine_arn, name, order)


def end(execution: Execution, status: str, error: str | None = None, cause: str | None = None) -> None:
    """Let it end, once: what is delivered after that changes nothing."""
    if execution.status == "RUNNING":
        execution.status, execution.stop_date = status, datetime.now(UTC)
        execution.error, execution.cause = error, cause


def event_of(execution: Execution) -> dict[str, Any]:
    """Return what EventBridge says of an execution that ended: less than Step Functions knows."""
    detail = {
        "executionArn": execution.execution_arn,
        "stateMachineArn": execution.state_machine_arn,
        "name": execution.name,
        "status": execution.status,
        "input": execution.execution_input,
        "output": None,
    }
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
