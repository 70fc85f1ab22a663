"""The service on the embedded AWS with IAM enforced, on an invented cloud: all but SSH and a cloud is as it ships."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.models.datastore import Datastore, datastore_id_of, version_id_of
from local.api import Api
from local.aws import ROOT, EmbeddedAws
from local.callers import embedded_settings, tokens_in, url_of
from local.deploy import deploy
from local.service import STACK, offer
from local.target import Target
from tests.local.deployed import until

SETTINGS = {
    "DTROVE_PROVIDER": "memory",
    "DTROVE_PATIENCE_SECONDS": "0",
    "DTROVE_ANSWER_PATIENCE_SECONDS": "2",
    "DTROVE_MAX_INSTANCES": "-1",
    "DTROVE_MAX_VOLUMES_GIB": "-1",
    "SCHEDULES": "DISABLED",
}
PATIENCE_SECONDS = 120  # for a job, on a machine that has much to do
TAKEN_OVER = """

import os
import sys

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    sys.path.append({root!r})
    from tests.embedded import invented

    invented.take_over(globals(), {world!r})
"""


@dataclass(frozen=True)
class Embedded:
    """The deployed service."""

    aws: EmbeddedAws
    project: Path  # its sources
    world: Path  # the invented one: invented.held
    outputs: dict[str, str]
    tokens: dict[str, str]
    provoked: set[str] = field(default_factory=set)  # lines of decisions that tests brought about by taking rights away

    def api(self, caller: str = "DTROVE_TOKEN") -> Api:
        return Api(url_of(caller, self.outputs["ApiUrl"]), self.tokens[caller])

    def invoke(self, function: str, event: object = None) -> Any:
        """Call the function of that name, `Sweep`, as EventBridge would, and return its answer."""
        name = self.outputs[f"{function}Function"]
        answer = self.aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}))
        found = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, found
        return found

    def start(self, workflow: str, name: str, text: str) -> str:
        """Start an execution as somebody at the console does; return its ARN."""
        states = self.aws.client("stepfunctions")
        machine = self.outputs["MachinePrefix"] + workflow
        return str(states.start_execution(stateMachineArn=machine, name=name, input=text)["executionArn"])

    def update(self, **settings: str) -> None:
        """Deploy the project's sources as they are now, with settings beside the usual ones."""
        usual = embedded_settings(self.tokens) | SETTINGS
        deploy(Target.embedded(self.aws.endpoint), stack=STACK, settings=usual | settings, project=self.project)

    def ended(self, arn: str) -> dict[str, Any]:
        states = self.aws.client("stepfunctions")
        found: dict[str, Any] = until(
            lambda: states.describe_execution(executionArn=arn),
            lambda each: each["status"] != "RUNNING",
            PATIENCE_SECONDS,
        )
        return found

    def role_of(self, function: str) -> str:
        """Return the name of the role of `Sweep`, `APIHandler`."""
        logical_id = "ApiHandlerRole" if function == "APIHandler" else f"{function}Role"
        found = self.aws.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])


def served(aws: EmbeddedAws, folder: Path) -> Embedded:
    """Deploy the service with its cloud in the folder, and offer the datastores."""
    project, world = folder / "project", folder / "world"
    world.touch()
    project.mkdir()
    for name in ("chalicelib", ".chalice", "statemachines"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__", "deployments"))
    for name in ("requirements.txt", "resources.yaml"):
        shutil.copy(ROOT / name, project)
    tail = TAKEN_OVER.format(root=str(ROOT), world=str(world))
    (project / "app.py").write_text((ROOT / "app.py").read_text() + tail)
    tokens = tokens_in(folder)
    settings = embedded_settings(tokens) | SETTINGS
    outputs = deploy(Target.embedded(aws.endpoint), stack=STACK, settings=settings, project=project)
    service = Embedded(aws, project, world, outputs, tokens)
    offer(aws, "debian-12")
    offer_version(aws, "redis", "7.0", manager="tests.ledger.LedgerManager")  # what no simulated guest could answer
    service.invoke("SweepCloud")
    return service


def offer_version(aws: EmbeddedAws, datastore: str, version: str, *, manager: str) -> None:
    record = Datastore(
        version_id=version_id_of(datastore, version),
        datastore_id=datastore_id_of(datastore),
        datastore=datastore,
        version=version,
        manager=manager,
        image="debian-12",
        packages=["redis-server"],
        is_active=True,
        is_default=True,
    )
    aws.client("dynamodb").put_item(TableName=f"{STACK}-datastores", Item=record.serialize())
