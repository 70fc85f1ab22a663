"""A service of the benchmarks' own, on real guests, beside any other that may be up on this machine."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.config import Config
from local import service
from local.service import Service

FOLDER = Path(__file__).parent.parent / ".local" / "benchmarks"
SETTINGS = {
    "DTROVE_NSPAWN_ROOT": "/var/lib/dtrove/bench",
    "DTROVE_NSPAWN_IMAGES": f"{Config.dtrove_nspawn_root}/images",
    "DTROVE_NSPAWN_BRIDGE": "dtrovebench",
    "DTROVE_NSPAWN_NETWORK": "10.79.9.0/24",
}
CONFIG = Config.from_environment(SETTINGS)
MEMORY_MIB, FLAVOR = 512, "1"
VOLUME_GIB = 1
JOBS = f"{service.STACK}-jobs"
LOOK_AGAIN_SECONDS = 0.3
DATASTORE, VERSION, PACKAGE = "redis", "7.0", "redis-server"


@contextmanager
def running() -> Iterator[Service]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    service.down(FOLDER, **SETTINGS)  # of a run that was killed
    try:
        with _quiet():
            started = service.up(FOLDER, port=0, auth=False, **SETTINGS)
        yield started
    finally:
        for each in (signal.SIGINT, signal.SIGTERM):  # a second one must not leave half of it behind
            signal.signal(each, signal.SIG_IGN)
        left = service.down(FOLDER, **SETTINGS)
        if left:
            raise SystemExit("\n".join(f"left behind: {each}" for each in left))


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what is printed meanwhile, by whatever code, to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def order(size: int) -> dict[str, Any]:
    return {
        "cluster": {
            "name": f"bench-{size}",
            "datastore": {"type": DATASTORE, "version": VERSION},
            "size": size,
            "flavorRef": FLAVOR,
            "volume": {"size": VOLUME_GIB},
        }
    }


def create(running: Service, size: int) -> tuple[str, str]:
    """Order a cluster; return its id and the job's."""
    cluster = running.api().post("/clusters", order(size))["cluster"]
    return cluster["id"], cluster["job_id"]


def delete(running: Service, cluster_id: str) -> str:
    """Order the cluster's end; return the job's id."""
    running.api().delete(f"/clusters/{cluster_id}")
    query = {"TableName": JOBS, "IndexName": "by_cluster", "ScanIndexForward": False, "Limit": 1}
    found = running.aws.client("dynamodb").query(
        **query, KeyConditionExpression="cluster_id = :id", ExpressionAttributeValues={":id": {"S": cluster_id}}
    )
    job_id: str = found["Items"][0]["job_id"]["S"]
    return job_id


def succeeded(running: Service, job_id: str) -> float:
    """Return when the job's last transaction was written, as Unix time, once it has.

    Read from the table, not through the API, and seldom: not to compete with what is measured, nor to be counted.
    """
    dynamodb = running.aws.client("dynamodb")
    while (job := dynamodb.get_item(TableName=JOBS, Key={"job_id": {"S": job_id}})["Item"])["status"]["S"] == "RUNNING":
        time.sleep(LOOK_AGAIN_SECONDS)
    if job["status"]["S"] != "SUCCEEDED":
        raise SystemExit(f"{job['workflow']['S']}: {job['status']['S']}: {job['message']['S']}")
    return datetime.strptime(job["finished_at"]["S"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
