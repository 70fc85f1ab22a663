"""S3: an object is sent as a multipart upload."""

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib import aws, config
from chalicelib.errors import Transient
from chalicelib.stores.base import BaseStore, Sent

GONE = {"NoSuchUpload", "NoSuchKey", "404"}
AT_ONCE = 1_000  # keys that S3 deletes in one request


class S3Store(BaseStore):
    most_parts = 10_000

    def begin(self, key: str) -> str:
        return str(self._s3.create_multipart_upload(**self._at(key))["UploadId"])

    def part_urls(self, key: str, upload_id: str, numbers: Iterable[int]) -> Mapping[int, str]:
        where = {**self._at(key), "UploadId": upload_id}
        return {each: self._signed("upload_part", {**where, "PartNumber": each}) for each in numbers}

    def sent(self, key: str, upload_id: str) -> list[Sent]:
        pages = self._s3.get_paginator("list_parts").paginate(**self._at(key), UploadId=upload_id)
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
            self._s3.complete_multipart_upload(**self._at(key), UploadId=upload_id, MultipartUpload={"Parts": listed})
        except ClientError as error:
            folder, _, name = key.rpartition("/")
            if _code(error) not in GONE:
                raise
            if name not in self.sizes(folder):
                raise Transient(f"The upload of {key} is over, and it is not there.") from error

    def abort(self, key: str, upload_id: str) -> None:
        try:
            self._s3.abort_multipart_upload(**self._at(key), UploadId=upload_id)
        except ClientError as error:
            if _code(error) not in GONE:
                raise

    def put(self, key: str, data: bytes) -> None:
        self._s3.put_object(**self._at(key), Body=data)

    def get(self, key: str) -> bytes | None:
        try:
            return bytes(self._s3.get_object(**self._at(key))["Body"].read())
        except ClientError as error:
            if _code(error) in GONE:
                return None
            raise

    def sizes(self, folder: str) -> dict[str, int]:
        return {each["Key"].removeprefix(f"{folder}/"): int(each["Size"]) for each in self._listed(folder)}

    def url(self, key: str) -> str:
        return self._signed("get_object", self._at(key))

    def delete(self, folder: str) -> None:
        keys = [{"Key": each["Key"]} for each in self._listed(folder)]
        for start in range(0, len(keys), AT_ONCE):
            wanted = {"Objects": keys[start : start + AT_ONCE], "Quiet": True}
            answer = self._s3.delete_objects(Bucket=self._bucket, Delete=wanted)
            for failed in answer.get("Errors", []):
                raise ClientError({"Error": failed}, "DeleteObjects")

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{folder}/")
        return [each for page in pages for each in page.get("Contents", [])]

    def _signed(self, what: str, wanted: dict[str, Any]) -> str:
        s3 = aws.client("s3", url=config.current().dtrove_store_url)
        return str(s3.generate_presigned_url(what, wanted, ExpiresIn=self.url_seconds))

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": key}

    @property
    def _bucket(self) -> str:
        return config.current().dtrove_bucket

    @property
    def _s3(self) -> Any:
        return aws.client("s3")


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
