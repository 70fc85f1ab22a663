"""The guests' way to the object store: presigned requests for one bucket, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from local.aws import REGION, EmbeddedAws
from local.store import store
from tests.local.deployed import until

pytestmark = pytest.mark.aws

MEBIBYTE = bytes(range(256)) * 4096


@dataclass(frozen=True)
class Guest:
    """What a guest has: the proxy's URL, and what was signed for it."""

    proxy: str
    signer: Any

    def presign(self, operation: str, seconds: int = 60, bucket: str = "backups", **parameters: object) -> str:
        given = {"Bucket": bucket, "Key": "a folder/a b", **parameters}
        return str(self.signer.generate_presigned_url(operation, given, ExpiresIn=seconds))

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = HTTPConnection(urlsplit(self.proxy).netloc, timeout=30)
        target = url.removeprefix(self.proxy)
        connection.request(method, target, body, headers, encode_chunked=not isinstance(body, bytes | None))
        answer = connection.getresponse()
        read = answer.status, answer.read()
        connection.close()
        return read


@pytest.fixture(scope="module")
def guest(aws: EmbeddedAws) -> Iterator[Guest]:
    """Signed by a user who may use the bucket, since ministack believes any signature of the account's root."""
    iam = aws.client("iam")
    iam.create_user(UserName="signer")
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    iam.put_user_policy(UserName="signer", PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName="signer")["AccessKey"]
    for bucket in ("backups", "private"):
        aws.client("s3").create_bucket(Bucket=bucket)
    with store("127.0.0.1", aws.endpoint, frozenset({"backups"})) as proxy:
        signer = boto3.client(
            "s3",
            endpoint_url=proxy,
            region_name=REGION,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        yield Guest(proxy, signer)


def test_puts_and_gets(guest: Guest) -> None:
    assert guest.ask("PUT", guest.presign("put_object"), MEBIBYTE)[0] == 200
    assert guest.ask("GET", guest.presign("get_object")) == (200, MEBIBYTE)
    assert guest.ask("HEAD", guest.presign("head_object")) == (200, b"")


def test_a_body_of_unknown_length_passes(guest: Guest) -> None:
    pieces = [MEBIBYTE[:1000], MEBIBYTE[1000:]]

    status, _ = guest.ask("PUT", guest.presign("put_object"), iter(pieces), **{"Transfer-Encoding": "chunked"})

    assert status == 200
    assert guest.ask("GET", guest.presign("get_object"))[1] == MEBIBYTE


def test_uploads_in_parts_pass(guest: Guest, aws: EmbeddedAws) -> None:
    upload = {"Bucket": "backups", "Key": "a folder/a b"}
    s3 = aws.client("s3")
    upload_id = s3.create_multipart_upload(**upload)["UploadId"]
    parts = []
    for number, body in enumerate((MEBIBYTE * 5, b"the rest"), 1):
        url = guest.presign("upload_part", UploadId=upload_id, PartNumber=number)
        assert guest.ask("PUT", url, body)[0] == 200
    for part in s3.list_parts(**upload, UploadId=upload_id)["Parts"]:
        parts.append({"PartNumber": part["PartNumber"], "ETag": part["ETag"]})
    s3.complete_multipart_upload(**upload, UploadId=upload_id, MultipartUpload={"Parts": parts})

    assert guest.ask("GET", guest.presign("get_object"))[1] == MEBIBYTE * 5 + b"the rest"


def test_store_refuses_what_is_expired_tampered_or_of_another_method(guest: Guest) -> None:
    guest.ask("PUT", guest.presign("put_object"), b"text")
    url = guest.presign("get_object")

    soon_expired = guest.presign("get_object", seconds=1)
    until(lambda: guest.ask("GET", soon_expired)[0], lambda status: status == 403)
    assert guest.ask("GET", url[:-1] + ("0" if url[-1] != "0" else "1"))[0] == 403
    assert guest.ask("GET", url.replace("a%20b", "a%20c"))[0] == 403
    assert guest.ask("PUT", url, b"other")[0] == 403
    assert guest.ask("GET", url)[1] == b"text"


def test_proxy_refuses_all_but_presigned_requests_for_its_buckets(guest: Guest) -> None:
    url = guest.presign("get_object")
    query = url.partition("?")[2]

    assert guest.ask("GET", guest.presign("get_object", bucket="private"))[0] == 403
    assert guest.ask("GET", f"/backups?{query}")[0] == 403
    assert guest.ask("GET", f"/backups/../private/a?{query}")[0] == 403
    assert guest.ask("GET", f"/backups/%2e%2e/private/a?{query}")[0] == 403
    assert guest.ask("GET", "/backups/a%20folder/a%20b")[0] == 403
    assert guest.ask("GET", url, **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})[0] == 403
    assert guest.ask("POST", "/", b"{}", **{"X-Amz-Target": "DynamoDB_20120810.ListTables"})[0] == 403
    assert guest.ask("GET", "/restapis")[0] == 403
    assert guest.ask("GET", "/_ministack/health")[0] == 403
