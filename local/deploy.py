"""Deployment: package -> artifacts bucket -> CloudFormation. One path for the embedded AWS and for a real account.

    python -m local.deploy STAGE [--delete]        into the account of your credentials: `make deploy`, `make undeploy`

The stack is dtrove-STAGE, and its settings are those of deploy/STAGE.env: lines NAME=VALUE, the names being those of
chalicelib/config.py, or of the template's own parameters (VPC_SUBNET_IDS is VpcSubnetIds). Settings are whole each
time: one left out has its default again.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chalicelib.errors import ConfigError
from local import stack as stacks
from local.package import Package, PackagingFailed, package
from local.prerequisites import Deployment, is_setting, read
from local.stages import DEV, Stage
from local.target import DeploymentFailed, Target
from local.template import Artifacts, completed, parameter_name

ROOT = Path(__file__).parent.parent


def deploy(
    target: Target,
    *,
    stack: str = "dtrove",
    settings: Mapping[str, str] | None = None,
    project: Path = ROOT,
    stage: Stage = DEV,
) -> dict[str, str]:
    """Bring the stack to what the sources and the settings say, and return its outputs, ApiUrl among them.

    `settings` are the service's own and the template's parameters: VPC_SUBNET_IDS is VpcSubnetIds.

    Raises:
        PackagingFailed, DeploymentFailed.
    """
    ready = package(project, stage.name)
    settings = settings or {}
    artifacts = _upload(target, stack, ready)
    template = completed(ready.template, artifacts, {k: v for k, v in settings.items() if is_setting(k)}, stage)
    given = {parameter_name(each): value for each, value in settings.items()}
    if arn := _secret_arn(target, settings.get("DTROVE_CLOUD_SECRET")):
        given["CloudSecretArn"] = arn
    s3 = target.client("s3")
    key = _put(s3, artifacts.bucket, "template", json.dumps(template).encode(), ".json")
    stacks.change(target, stack, f"{s3.meta.endpoint_url}/{artifacts.bucket}/{key}", given)
    if stage.keeps_records:
        cloudformation = target.client("cloudformation")
        cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    return _outputs(target, stack)


def erase(target: Target, stack: str) -> list[str]:
    """Delete a stack that keeps nothing, and what is in its buckets; return what stays. Raises DeploymentFailed."""
    s3 = target.client("s3")
    _empty(s3, stacks.outputs(target, stack)["ObjectsBucket"])
    kept = stacks.delete(target, stack)
    artifacts = _artifacts_bucket(target, s3, stack)
    _empty(s3, artifacts)
    s3.delete_bucket(Bucket=artifacts)
    return kept


def _empty(s3: Any, bucket: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


def _secret_arn(target: Target, name: str | None) -> str | None:
    """Look up the secret, so that a policy may name exactly it. Raises DeploymentFailed if there is none."""
    if not name:
        return None
    secrets = target.client("secretsmanager")
    try:
        return str(secrets.describe_secret(SecretId=name)["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        region = target.session.region_name
        raise DeploymentFailed(f"DTROVE_CLOUD_SECRET: there is no secret {name} in {region}.") from None


def _upload(target: Target, stack: str, ready: Package) -> Artifacts:
    """Put bundle and definitions under names that carry their hashes."""
    s3 = target.client("s3")
    bucket = _artifacts_bucket(target, s3, stack)
    code_key = _put(s3, bucket, "code", ready.bundle.read_bytes(), ".zip")
    machines = {
        file.name.removesuffix(".asl.json"): _put(s3, bucket, file.stem, file.read_bytes(), ".json")
        for file in ready.machines
    }
    return Artifacts(bucket, code_key, machines)


def _artifacts_bucket(target: Target, s3: Any, stack: str) -> str:
    region = target.session.region_name
    bucket = f"{stack}-artifacts-{target.account_id()}-{region}"
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


def _outputs(target: Target, stack: str) -> dict[str, str]:
    outputs = stacks.outputs(target, stack)
    stage = outputs["EndpointURL"].rstrip("/").rsplit("/", 1)[1]
    embedded_url = f"{target.endpoint}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_"
    return outputs | {"ApiUrl": embedded_url if target.endpoint else outputs["EndpointURL"].rstrip("/")}


def main(arguments: list[str] | None = None, project: Path = ROOT) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", nargs="?", default="")
    parser.add_argument("--delete", action="store_true", help="delete the stack instead")
    options = parser.parse_args(arguments)
    try:
        deployment = read(options.stage, project)
        print("\n".join(_delete(deployment) if options.delete else _deploy(deployment)))
    except (PackagingFailed, DeploymentFailed, ConfigError) as error:
        sys.exit(str(error))


def _deploy(deployment: Deployment) -> list[str]:
    outputs = deploy(
        Target.account(),
        stack=deployment.stack,
        settings=deployment.settings,
        stage=deployment.stage,
    )
    return [f"{name}  {value}" for name, value in sorted(outputs.items())]


def _delete(deployment: Deployment) -> list[str]:
    if deployment.stage.keeps_records:
        raise DeploymentFailed(
            f"{deployment.stack} holds customers' records: docs/deploy.md says how it is deleted by hand."
        )
    kept = erase(Target.account(), deployment.stack)
    return [f"{deployment.stack} is deleted.", *(f"kept: {each}" for each in kept)]


if __name__ == "__main__":
    main()
