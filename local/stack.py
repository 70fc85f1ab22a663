"""A CloudFormation stack: changed by a change set, waited for, deleted."""

import time
from collections.abc import Mapping
from typing import Any

from local.target import DeploymentFailed, Target

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
SETTLING_SECONDS = 1_800.0  # network interfaces of functions take their time to go


def change(target: Target, stack: str, template_url: str, parameters: Mapping[str, str]) -> None:
    """Make the stack what the template says. Raises DeploymentFailed with CloudFormation's reasons."""
    if _begin(target, stack, template_url, parameters):
        _await(target, stack, {"CREATE_COMPLETE", "UPDATE_COMPLETE"})


def delete(target: Target, stack: str) -> list[str]:
    """Delete the stack, and return what it leaves behind on purpose: "type name" of each.

    Raises:
        DeploymentFailed: it is protected, or something of it cannot go.
    """
    cloudformation = target.client("cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]  # its name is forgotten
    try:
        cloudformation.delete_stack(StackName=stack)
    except cloudformation.exceptions.ClientError as error:  # it is protected
        raise DeploymentFailed(f"{stack}: {error}") from None
    _await(target, stack_id, {"DELETE_COMPLETE"})
    events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    kept = [each for each in events if each["ResourceStatus"] == "DELETE_SKIPPED"]
    return sorted(f"{each['ResourceType']} {each['PhysicalResourceId']}" for each in kept)


def outputs(target: Target, stack: str) -> dict[str, str]:
    described = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


def status(cloudformation: Any, stack: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _begin(target: Target, stack: str, template_url: str, parameters: Mapping[str, str]) -> bool:
    """Start making the stack what the template says. False if it is that already."""
    cloudformation = target.client("cloudformation")
    name = f"deploy-{time.time_ns()}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="CREATE" if status(cloudformation, stack) in {None, "REVIEW_IN_PROGRESS"} else "UPDATE",
        TemplateURL=template_url,
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    while (made := cloudformation.describe_change_set(StackName=stack, ChangeSetName=name))["Status"] in {
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
    }:
        time.sleep(target.poll_seconds)
    if made["Status"] == "FAILED":
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        reason = made.get("StatusReason", "")
        if any(words in reason for words in NOTHING_TO_DO):
            return False
        raise DeploymentFailed(f"{stack}: {reason}")
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
    return True


def _await(target: Target, stack: str, good: set[str]) -> None:
    cloudformation = target.client("cloudformation")
    deadline = time.monotonic() + SETTLING_SECONDS
    while (found := status(cloudformation, stack) or "").endswith("_IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(target.poll_seconds)
    if found not in good:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeploymentFailed("\n".join([f"{stack} is {found}:", *reasons]))
