"""The shelf: what was published of instances' logs, in S3. What lies there is all that is known of it.

logs/<instance>/<log>/<generation>-<life>/<offset>.log    a part: what the file held from the offset on

A file that was emptied, and began anew from 0, lives once more. Keys sort as the log was written.
"""

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from chalicelib.models.record import now
from chalicelib.stores import bucket

TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}


@dataclass(frozen=True)
class Part:
    key: str
    size: int  # bytes
    published_at: datetime

    @property
    def log(self) -> str:
        return self.key.split("/")[2]

    @property
    def generation(self) -> str:
        return self.key.split("/")[3].rpartition("-")[0]

    @property
    def life(self) -> int:
        return int(self.key.split("/")[3].rpartition("-")[2])

    @property
    def end(self) -> int:
        """Up to where in the file it goes."""
        return int(self.key.split("/")[4].partition(".")[0]) + self.size


def prefix_of(instance_id: str, log: str = "") -> str:
    return f"logs/{instance_id}/{log}/" if log else f"logs/{instance_id}/"


def parts_of(instance_id: str, log: str = "") -> list[Part]:
    """Return what lies there of the log, or of all logs of the instance, by key."""
    return [
        Part(each["Key"], each["Size"], each["LastModified"]) for each in bucket.listed(prefix_of(instance_id, log))
    ]


def put(instance_id: str, log: str, life: str, offset: int, data: bytes) -> Part | None:
    """Lay down a part, unless one lies there: then another try of the same was first, and None is returned."""
    key = f"{prefix_of(instance_id, log)}{life}/{offset:015d}.log"
    try:
        bucket.s3().put_object(**bucket.at(key), Body=data, IfNoneMatch="*", ContentType="text/plain")
    except ClientError as error:
        if error.response["Error"]["Code"] not in TAKEN:
            raise
        return None
    return Part(key, len(data), now())


def clear(instance_id: str, log: str = "") -> bool:
    """Take away all that lies there of the log, or of all logs of the instance; return whether there was something."""
    keys = [each["Key"] for each in bucket.listed(prefix_of(instance_id, log))]
    bucket.delete(keys)
    return bool(keys)


def url_of(part: Part) -> str:
    """Return a URL that anybody may read the part at, for a while."""
    return bucket.signed("get_object", bucket.at(part.key))
