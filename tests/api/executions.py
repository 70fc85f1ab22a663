"""What was started in Step Functions."""

import json
from typing import Any

import boto3


def executions() -> list[tuple[str, str, dict[str, Any]]]:
    """Return (workflow, execution name, input) of every execution."""
    states = boto3.client("stepfunctions")
    found = []
    for machine in states.list_state_machines()["stateMachines"]:
        for each in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            detail = states.describe_execution(executionArn=each["executionArn"])
            found.append((machine["name"].removeprefix("test-"), each["name"], json.loads(detail["input"])))
    return found
