"""S3: an object is sent as a multipart upload."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import config
from chalicelib.errors import Transient
from chalicelib.stores import bucket
from chalicelib.stores.base import BaseStore, Sent

GONE = {"NoSuchUpload", "NoSuchKey", "404"}


class S3Store(BaseStore):
    most_parts = 10_000

    def begin(self, key: str) -> str:
        return str(bucket.s3().create_multipart_upload(**bucket.at(key))["UploadId"])

    def part_urls(self, key: str, upload_id: str, numbers: Iterable[int]) -> Mapping[int, str]:
        where = {**bucket.at(key), "UploadId": upload_id}
        return {each: _for_guests("upload_part", {**where, "PartNumber": each}) for each in numbers}

    def sent(self, key: str, upload_id: str) -> list[Sent]:
        pages = bucket.s3().get_paginator("list_parts").paginate(**bucket.at(key), UploadId=upload_id)
        try:
            found = [each for page in pages for each in page.get("Parts", [])]
        except ClientError as error:
            if _code(error) in GONE:
                return []
            raise
        return [Sent(int(each["PartNumber"]), int(each["Size"]), each["ETag"]) for each in found]

    def finish(self, key: str, upload_id: str, parts: Iterable[Sent]) -> None:
        listed = [{"PartNumber": each.number, "ETag": each.tag} for each in parts]
        try:
            bucket.s3().complete_multipart_upload(
                **bucket.at(key), UploadId=upload_id, MultipartUpload={"Parts": listed}
            )
        except ClientError as error:
            folder, _, name = key.rpartition("/")
            if _code(error) not in GONE:
                raise
            if name not in self.sizes(folder):
                raise Transient(f"The upload of {key} is over, and it is not there.") from error

    def abort(self, key: str, upload_id: str) -> None:
        try:
            bucket.s3().abort_multipart_upload(**bucket.at(key), UploadId=upload_id)
        except ClientError as error:
            if _code(error) not in GONE:
                raise

    def put(self, key: str, data: bytes) -> None:
        bucket.s3().put_object(**bucket.at(key), Body=data)

    def get(self, key: str) -> bytes | None:
        try:
            return bytes(bucket.s3().get_object(**bucket.at(key))["Body"].read())
        except ClientError as error:
            if _code(error) in GONE:
                return None
            raise

    def sizes(self, folder: str) -> dict[str, int]:
        return {each["Key"].removeprefix(f"{folder}/"): int(each["Size"]) for each in bucket.listed(f"{folder}/")}

    def url(self, key: str) -> str:
        return _for_guests("get_object", bucket.at(key))

    def delete(self, folder: str) -> None:
        bucket.delete(each["Key"] for each in bucket.listed(f"{folder}/"))


def _for_guests(operation: str, wanted: dict[str, Any]) -> str:
    return bucket.signed(operation, wanted, config.current().dtrove_store_url)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
