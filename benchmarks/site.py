"""A service of the benchmarks' own, on real guests, beside any other that may be up on this machine."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chalicelib.config import Config
from local import service
from local.api import Api
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
DATASTORE, VERSION, PACKAGE = "redis", "7.0", "redis-server"


@contextmanager
def running() -> Iterator[Service]:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    service.down(FOLDER, **SETTINGS)  # of a run that was killed
    try:
        with _quiet():
            started = service.up(FOLDER, port=0, **SETTINGS)
        yield started
    finally:
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


def succeeded(api: Api, job_id: str) -> Any:
    """Return the job once it has succeeded. Asked for twice a second: not to compete with what is measured."""
    while (job := api.get(f"/jobs/{job_id}")["job"])["status"] == "RUNNING":
        time.sleep(0.5)
    if job["status"] != "SUCCEEDED":
        raise SystemExit(f"{job['workflow']}: {job['status']}: {job['message']}")
    return job


def delete(api: Api, cluster_id: str) -> str:
    """Delete the cluster; return the job's id once nothing is left of it."""
    api.delete(f"/clusters/{cluster_id}")
    job_id: str = api.newest_job(cluster_id)["id"]
    succeeded(api, job_id)
    return job_id
