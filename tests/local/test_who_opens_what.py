"""Who may open what: the API the answers it kept, who reaches guests the secrets of clusters and our own SSH keys."""

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws import REGION, EmbeddedAws
from tests.policies import POLICIES, policy_of, statements_of

pytestmark = pytest.mark.aws

FUNCTIONS = [each.stem.removeprefix("policy-") for each in POLICIES]
OF_CLUSTER, OF_ANSWER = {"cluster_id": "c1"}, {"answer_id": "a1"}


@pytest.fixture(scope="module")
def key_id(aws: EmbeddedAws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["KeyId"])


def kms_of(function: str, aws: EmbeddedAws) -> Any:
    """Return KMS for somebody who may do with it exactly what the function may."""
    allowed = [each | {"Resource": "*"} for each in statements_on(function, "kms")]
    return as_somebody("kms", allowed, function, aws)


def secrets_manager_of(function: str, aws: EmbeddedAws) -> Any:
    """Return it as `kms_of` does, where our stack is called dtrove."""
    statements = statements_on(function, "secretsmanager")
    allowed = [each | {"Resource": in_stack(each["Resource"])} for each in statements]
    return as_somebody("secretsmanager", allowed, function, aws)


def in_stack(told: dict[str, str]) -> str:
    resource = told.get("Fn::Sub") or f"arn:aws:secretsmanager:{REGION}:000000000000:secret:{told['Ref']}"
    words = {"Partition": "aws", "Region": REGION, "AccountId": "*", "StackName": "dtrove"}
    for name, value in words.items():
        resource = resource.replace(f"${{AWS::{name}}}", value)
    return resource


def statements_on(function: str, service: str) -> list[dict[str, Any]]:
    return [each for each in statements_of(policy_of(function)) if each["Action"][0].startswith(f"{service}:")]


def as_somebody(service: str, allowed: list[dict[str, Any]], function: str, aws: EmbeddedAws) -> Any:
    allowed = allowed or [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}]
    iam, name = aws.client("iam"), f"{function}-{uuid4()}"
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.client(service, endpoint_url=aws.endpoint, region_name=REGION, **keys)


def wrapped(aws: EmbeddedAws, key_id: str, context: dict[str, str]) -> bytes:
    made = aws.client("kms").generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=context)
    return bytes(made["CiphertextBlob"])


@pytest.mark.parametrize(("function", "context"), [("api", OF_ANSWER), ("guest", OF_CLUSTER), ("reads", OF_CLUSTER)])
def test_it_opens_what_it_must(aws: EmbeddedAws, key_id: str, function: str, context: dict[str, str]) -> None:
    blob = wrapped(aws, key_id, context)

    opened = kms_of(function, aws).decrypt(CiphertextBlob=blob, EncryptionContext=context)

    assert len(opened["Plaintext"]) == 32


@pytest.mark.parametrize(
    ("function", "context"),
    [("api", OF_CLUSTER), ("api", OF_CLUSTER | OF_ANSWER), ("api", {}), ("guest", OF_ANSWER), ("reads", OF_ANSWER)],
)
def test_it_opens_nothing_else(aws: EmbeddedAws, key_id: str, function: str, context: dict[str, str]) -> None:
    blob = wrapped(aws, key_id, context)

    with pytest.raises(ClientError, match="AccessDenied"):
        kms_of(function, aws).decrypt(CiphertextBlob=blob, EncryptionContext=context)


@pytest.fixture(scope="module")
def secrets(aws: EmbeddedAws) -> None:
    for name in ("dtrove/ssh/jump", "dtrove/else", "other/ssh/jump"):
        aws.client("secretsmanager").create_secret(Name=name, SecretString=f"of {name}")


@pytest.mark.parametrize("function", ["guest", "reads"])
def test_those_that_reach_guests_read_our_ssh_keys_and_no_other_secret(
    aws: EmbeddedAws, secrets: None, function: str
) -> None:
    client = secrets_manager_of(function, aws)

    assert client.get_secret_value(SecretId="dtrove/ssh/jump")["SecretString"] == "of dtrove/ssh/jump"
    for name in ("dtrove/else", "other/ssh/jump"):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.get_secret_value(SecretId=name)


@pytest.mark.parametrize("function", [each for each in FUNCTIONS if each not in {"guest", "reads"}])
def test_nobody_else_reads_our_ssh_keys(aws: EmbeddedAws, secrets: None, function: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        secrets_manager_of(function, aws).get_secret_value(SecretId="dtrove/ssh/jump")


@pytest.mark.parametrize("function", ["api", "cloud", "sweep-cloud"])
def test_who_asks_the_cloud_reads_its_secret_and_no_other(aws: EmbeddedAws, function: str) -> None:
    manager = aws.client("secretsmanager")
    own, other = (manager.create_secret(Name=f"s-{uuid4()}", SecretString=each)["ARN"] for each in ("own", "other"))
    (statement,) = [each for each in statements_on(function, "secretsmanager") if each["Sid"] == "ReadCloudSecret"]
    reader = as_somebody("secretsmanager", [statement | {"Resource": own}], function, aws)

    assert reader.get_secret_value(SecretId=own)["SecretString"] == "own"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_secret_value(SecretId=other)
