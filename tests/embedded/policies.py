"""The roles' policies as they are deployed, and the calls that they decided on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ministack.core import iam_evaluator

from tests.embedded.service import Embedded

FUNCTIONS = (
    *("APIHandler", "Records", "Cloud", "Guest", "Reads", "Outcomes", "Sweep", "Scheduler", "SweepCloud", "Announce"),
)
Statement = dict[str, Any]
Call = dict[str, Any]


def policy_name(iam: Any, role: str) -> str:
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return str(name)


def statements(service: Embedded, function: str) -> list[Statement]:
    iam, role = service.aws.client("iam"), service.role_of(function)
    document = iam.get_role_policy(RoleName=role, PolicyName=policy_name(iam, role))["PolicyDocument"]
    found: list[Statement] = document["Statement"]
    return found


@contextmanager
def without(service: Embedded, function: str, sid: str) -> Iterator[None]:
    """Take the statement away from the function's role for the length of the block."""
    iam, role = service.aws.client("iam"), service.role_of(function)
    all_of_them = statements(service, function)
    rest = [each for each in all_of_them if each["Sid"] != sid]
    assert len(rest) == len(all_of_them) - 1

    def put(which: list[Statement]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": which})
        iam.put_role_policy(RoleName=role, PolicyName=policy_name(iam, role), PolicyDocument=document)

    before = denials(service, function)
    put(rest)
    try:
        yield
    finally:
        put(all_of_them)
        service.provoked.update(denials(service, function) - before)


def calls(service: Embedded, function: str) -> list[Call]:
    return [json.loads(line) for line in _lines(service, function)]


def denials(service: Embedded, function: str) -> set[str]:
    return {line for line in _lines(service, function) if json.loads(line)["decision"] != "Allow"}


def _lines(service: Embedded, function: str) -> list[str]:
    role = service.role_of(function)
    written = service.aws.decisions.read_text().splitlines() if service.aws.decisions.exists() else []
    return [line for line in written if f"/{role}/" in f"{json.loads(line)['principal_arn']}/"]


def allows(policy: list[Statement], call: Call) -> bool:
    """Say whether the statements allow the call, by the embedded AWS's own judgement."""
    asked = iam_evaluator.EvalContext(**{name: value for name, value in call.items() if name != "decision"})
    parsed = iam_evaluator.parse_policy_document({"Version": "2012-10-17", "Statement": policy})
    return bool(iam_evaluator.evaluate(asked, [parsed]).decision == "Allow")


def pairs(statement: Statement) -> Iterator[Statement]:
    """Yield the statement for each of its actions on each of its resources alone."""
    resources = statement["Resource"]
    for resource in resources if isinstance(resources, list) else [resources]:
        for action in statement["Action"]:
            yield statement | {"Action": [action], "Resource": [resource]}
