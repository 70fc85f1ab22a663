"""Deployment: package -> artifacts bucket -> CloudFormation. One path for the embedded AWS and for a real account.

    python -m local.deploy [--endpoint http://127.0.0.1:4566] [--stack dtrove] [--settings FILE]

FILE has lines NAME=VALUE, the names being those of chalicelib/config.py (a file, since some are secret). Settings are
whole each time: one left out has its default again.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from chalicelib.config import Config, provider_path
from chalicelib.errors import ConfigError
from local.package import DEFAULT_REGION, Package, PackagingFailed, package
from local.template import completed, parameter_name

ROOT = Path(__file__).parent.parent
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
SETTLING_SECONDS = 900.0


class DeploymentFailed(Exception):
    """The stack did not get there; the message has CloudFormation's reasons."""


@dataclass(frozen=True)
class Target:
    """Where to: an account's own credentials and region, or the embedded AWS's."""

    session: boto3.Session
    endpoint: str | None

    @classmethod
    def embedded(cls, endpoint: str) -> "Target":
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return cls(boto3.Session(region_name=DEFAULT_REGION, **keys), endpoint)

    @classmethod
    def account(cls) -> "Target":
        session = boto3.Session()
        if session.region_name is None:
            raise DeploymentFailed("Say where to: AWS_DEFAULT_REGION is not set.")
        return cls(session, None)

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint)

    @property
    def poll_seconds(self) -> float:
        return 0.05 if self.endpoint else 2.0


def deploy(
    target: Target,
    *,
    stack: str = "dtrove",
    settings: Mapping[str, str] | None = None,
    parameters: Mapping[str, str] | None = None,
    project: Path = ROOT,
) -> dict[str, str]:
    """Bring the stack to what the sources and the settings say, and return its outputs, ApiUrl among them.

    Raises:
        PackagingFailed, DeploymentFailed.
    """
    ready = package(project)
    settings = settings or {}
    template_url = _upload(target, stack, ready, settings)
    given = {**(parameters or {}), **{parameter_name(each): value for each, value in settings.items()}}
    if _change(target, stack, template_url, given):
        _await_stack(target, stack)
    return _outputs(target, stack)


def _upload(target: Target, stack: str, ready: Package, settings: Mapping[str, str]) -> str:
    """Put bundle, definitions and template under names that carry their hashes; return the template's URL."""
    s3 = target.client("s3")
    bucket = _artifacts_bucket(target, s3, stack)
    code_key = _put(s3, bucket, "code", ready.bundle.read_bytes(), ".zip")
    machines = {
        file.name.removesuffix(".asl.json"): _put(s3, bucket, file.stem, file.read_bytes(), ".json")
        for file in ready.machines
    }
    template = completed(ready.template, bucket, code_key, machines, settings)
    key = _put(s3, bucket, "template", json.dumps(template).encode(), ".json")
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _artifacts_bucket(target: Target, s3: Any, stack: str) -> str:
    region = target.session.region_name
    account = target.client("sts").get_caller_identity()["Account"]
    bucket = f"{stack}-artifacts-{account}-{region}"
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.head_bucket(Bucket=bucket)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        s3.create_bucket(Bucket=bucket, **place)
    return bucket


def _put(s3: Any, bucket: str, name: str, content: bytes, suffix: str) -> str:
    key = f"{name}/{hashlib.sha256(content).hexdigest()}{suffix}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def _change(target: Target, stack: str, template_url: str, parameters: Mapping[str, str]) -> bool:
    """Start making the stack what the template says. False if it is that already."""
    cloudformation = target.client("cloudformation")
    status = _status(cloudformation, stack)
    name = f"deploy-{time.time_ns()}"
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType="CREATE" if status in {None, "REVIEW_IN_PROGRESS"} else "UPDATE",
        TemplateURL=template_url,
        Capabilities=CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    while (change := cloudformation.describe_change_set(StackName=stack, ChangeSetName=name))["Status"] in {
        "CREATE_PENDING",
        "CREATE_IN_PROGRESS",
    }:
        time.sleep(target.poll_seconds)
    if change["Status"] == "FAILED":
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=name)
        reason = change.get("StatusReason", "")
        if any(words in reason for words in NOTHING_TO_DO):
            return False
        raise DeploymentFailed(f"{stack}: {reason}")
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
    return True


def _status(cloudformation: Any, stack: str) -> str | None:
    try:
        return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _await_stack(target: Target, stack: str) -> None:
    cloudformation = target.client("cloudformation")
    deadline = time.monotonic() + SETTLING_SECONDS
    while (status := _status(cloudformation, stack) or "").endswith("_IN_PROGRESS") and time.monotonic() < deadline:
        time.sleep(target.poll_seconds)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
            for event in reversed(events)
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeploymentFailed("\n".join([f"{stack} is {status}:", *reasons]))


def _outputs(target: Target, stack: str) -> dict[str, str]:
    described = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    stage = outputs["EndpointURL"].rstrip("/").rsplit("/", 1)[1]
    embedded_url = f"{target.endpoint}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_"
    return outputs | {"ApiUrl": embedded_url if target.endpoint else outputs["EndpointURL"].rstrip("/")}


def settings_of(text: str) -> dict[str, str]:
    lines = [line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): value for name, _, value in lines}  # "sudo " ends in a space that counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--endpoint", help="of an embedded AWS; without it, the account of your credentials")
    parser.add_argument("--stack", default="dtrove")
    parser.add_argument("--settings", type=Path, metavar="FILE")
    options = parser.parse_args()
    try:
        settings = settings_of(options.settings.read_text()) if options.settings else {}
        provider_path(Config.from_environment(settings).dtrove_provider)  # its default is to come
        target = Target.embedded(options.endpoint) if options.endpoint else Target.account()
        outputs = deploy(target, stack=options.stack, settings=settings)
    except (PackagingFailed, DeploymentFailed, ConfigError) as error:
        sys.exit(str(error))
    for name, value in sorted(outputs.items()):
        print(f"{name}  {value}")


if __name__ == "__main__":
    main()
