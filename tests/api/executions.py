"""What was started in Step Functions."""

import json
from typing import Any

import boto3


def executions() -> list[tuple[str, str, dict[str, Any]]]:
    """Return (workflow, execution name, input) of every execution, in the order they began."""
    states = boto3.client("stepfunctions")
    found = []
    for machine in states.list_state_machines()["stateMachines"]:
        for each in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            detail = states.describe_execution(executionArn=each["executionArn"])
            workflow = machine["name"].removeprefix("test-")
            found.append((each["startDate"], workflow, each["name"], json.loads(detail["input"])))
    return [(workflow, name, order) for _, workflow, name, order in sorted(found, key=lambda each: each[0])]
