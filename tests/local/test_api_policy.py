"""What the API's own policy lets it open: answers it kept, and no secret of a cluster."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.aws import REGION, EmbeddedAws

pytestmark = pytest.mark.aws

POLICY = Path(__file__).parents[2] / ".chalice" / "policy-api-dev.json"


@pytest.fixture(scope="module")
def kms_of_api(aws: EmbeddedAws) -> Any:
    """KMS, for somebody who may do with it exactly what the API may."""
    statements = json.loads(POLICY.read_text())["Statement"]
    allowed = [each | {"Resource": "*"} for each in statements if each["Action"][0].startswith("kms:")]
    iam = aws.client("iam")
    iam.create_user(UserName="api")
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_user_policy(UserName="api", PolicyName="kms", PolicyDocument=document)
    key = iam.create_access_key(UserName="api")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.client("kms", endpoint_url=aws.endpoint, region_name=REGION, **keys)


@pytest.fixture(scope="module")
def key_id(aws: EmbeddedAws) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["KeyId"])


def wrapped(kms: Any, key_id: str, context: dict[str, str]) -> bytes:
    return bytes(kms.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=context)["CiphertextBlob"])


def test_it_opens_answers(kms_of_api: Any, key_id: str) -> None:
    context = {"answer_id": "a1"}

    opened = kms_of_api.decrypt(CiphertextBlob=wrapped(kms_of_api, key_id, context), EncryptionContext=context)

    assert len(opened["Plaintext"]) == 32


@pytest.mark.parametrize("context", [{"cluster_id": "c1"}, {"cluster_id": "c1", "answer_id": "a1"}, {}])
def test_it_opens_nothing_else(kms_of_api: Any, key_id: str, context: dict[str, str]) -> None:
    blob = wrapped(kms_of_api, key_id, context)

    with pytest.raises(ClientError, match="AccessDenied"):
        kms_of_api.decrypt(CiphertextBlob=blob, EncryptionContext=context)
