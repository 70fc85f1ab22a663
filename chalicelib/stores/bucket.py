"""The deployment's bucket: what all who keep something there do with it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import aws, config

AT_ONCE = 1_000  # keys that S3 deletes in one request
URL_SECONDS = 900  # that a URL opens an object; no longer than the credentials that sign it


def s3() -> Any:
    return aws.client("s3")


def at(key: str) -> dict[str, str]:
    return {"Bucket": name(), "Key": key}


def name() -> str:
    return config.current().dtrove_bucket


def listed(prefix: str) -> Iterator[dict[str, Any]]:
    """Yield what lies below the prefix, by its key."""
    for page in s3().get_paginator("list_objects_v2").paginate(Bucket=name(), Prefix=prefix):
        yield from page.get("Contents", [])


def delete(keys: Iterable[str]) -> None:
    left = iter(keys)
    while some := [{"Key": each} for each in islice(left, AT_ONCE)]:
        answer = s3().delete_objects(Bucket=name(), Delete={"Objects": some, "Quiet": True})
        for failed in answer.get("Errors", []):
            raise ClientError({"Error": failed}, "DeleteObjects")


def signed(operation: str, wanted: dict[str, Any], url: str | None = None) -> str:
    """Return a URL that does the operation for whoever has it, for a while; at the `url`, if not at AWS's own."""
    s3 = aws.client("s3", url=url)
    return str(s3.generate_presigned_url(operation, wanted, ExpiresIn=URL_SECONDS))
