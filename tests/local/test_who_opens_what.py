"""Who may open what is sealed: the API the answers it kept, the functions that reach guests the secrets of clusters."""

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws import REGION, EmbeddedAws
from tests.policies import policy_of, statements_of

pytestmark = pytest.mark.aws

OF_CLUSTER, OF_ANSWER = {"cluster_id": "c1"}, {"answer_id": "a1"}


@pytest.fixture(scope="module")
def key_id(aws: EmbeddedAws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["KeyId"])


def kms_of(function: str, aws: EmbeddedAws) -> Any:
    return as_function(function, aws, "kms", "*")


def as_function(function: str, aws: EmbeddedAws, service: str, resource: str) -> Any:
    """Return the service for somebody who may do with that resource of it exactly what the function may."""
    statements = statements_of(policy_of(function))
    allowed = [each | {"Resource": resource} for each in statements if each["Action"][0].startswith(f"{service}:")]
    iam, name = aws.client("iam"), f"{function}-{uuid4()}"
    iam.create_user(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName=name, PolicyName=service, PolicyDocument=document)
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


@pytest.mark.parametrize("function", ["api", "cloud", "sweep-cloud"])
def test_it_reads_the_clouds_secret_and_no_other(aws: EmbeddedAws, function: str) -> None:
    secrets = aws.client("secretsmanager")
    own, other = (secrets.create_secret(Name=f"s-{uuid4()}", SecretString=each)["ARN"] for each in ("own", "other"))
    reader = as_function(function, aws, "secretsmanager", own)

    assert reader.get_secret_value(SecretId=own)["SecretString"] == "own"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_secret_value(SecretId=other)
