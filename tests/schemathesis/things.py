"""Things that are there, so that what is tried gets behind "not found": some to ask, some to act on, some to delete."""

import time
from collections.abc import Iterable
from typing import Any

from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.api.client import ApiCaller

member, admin = ApiCaller("member"), ApiCaller("admin")
PATIENCE_SECONDS = 60
DOOMED = ("DOOMED_INSTANCE", "DOOMED_CLUSTER", "DOOMED_GROUP")
USERS = ("al", *(f"u{number}" for number in range(16)))
LEDGER = {"type": "ledger", "version": "1"}


def things() -> dict[str, str]:
    """Make them over the API, wait until they serve, and return their ids by the variables of schemathesis.toml."""
    asked, acted, doomed = (an_instance() for _ in range(3))
    asked_cluster, acted_cluster, doomed_cluster = (a_cluster() for _ in range(3))
    spare_version = a_version_that_nobody_runs()
    put_accounts_on(asked["id"])
    return {
        "ASKED_INSTANCE": asked["id"],
        "ACTED_INSTANCE": acted["id"],
        "DOOMED_INSTANCE": doomed["id"],
        "ASKED_CLUSTER": asked_cluster["id"],
        "ASKED_MEMBER": asked_cluster["instances"][0]["id"],
        "ACTED_CLUSTER": acted_cluster["id"],
        "DOOMED_CLUSTER": doomed_cluster["id"],
        "ASKED_GROUP": a_group(LEDGER, {"most": 5}),
        "DOOMED_GROUP": a_group({"type": "spare", "version": "9"}, {"timeout": 5}),  # nobody can have it meanwhile
        "ASKED_BACKUP": a_backup(asked["id"]),
        "DOOMED_BACKUP": a_backup(asked["id"]),
        "ASKED_SCHEDULE": a_schedule(asked["id"]),
        "DOOMED_SCHEDULE": a_schedule(asked["id"]),
        "JOB": asked["job_id"],
        "VERSION": member.get("/datastores/ledger/versions/1").body["version"]["id"],
        "SPARE_VERSION": spare_version,
    }


def an_instance() -> Any:
    order = {"name": "i", "flavorRef": 1, "datastore": LEDGER}
    instance = member.post("/instances", {"instance": order}).body["instance"]
    await_job(instance["job_id"])
    return instance


def a_cluster() -> Any:
    order = {"name": "c", "flavorRef": 1, "size": 1, "datastore": LEDGER}
    cluster = member.post("/clusters", {"cluster": order}).body["cluster"]
    await_job(cluster["job_id"])
    return cluster


def a_backup(instance_id: str) -> str:
    backup = member.post("/backups", {"backup": {"name": "b", "instance": instance_id}}).body["backup"]
    await_job(backup["job_id"])
    return str(backup["id"])


def a_schedule(instance_id: str) -> str:
    order = {"name": "s", "instance": instance_id, "cron": "0 2 * * *"}
    return str(member.post("/schedules", {"schedule": order}).body["schedule"]["id"])


def a_group(datastore: dict[str, str], values: dict[str, int]) -> str:
    order = {"name": "g", "datastore": datastore, "values": values}
    return str(member.post("/configurations", {"configuration": order}).body["configuration"]["id"])


def put_accounts_on(instance_id: str) -> None:
    users = [{"name": name, "password": "correct horse", "databases": [{"name": "a"}]} for name in USERS]
    assert member.post(f"/instances/{instance_id}/databases", {"databases": [{"name": "a"}]}).status == 202
    assert member.post(f"/instances/{instance_id}/users", {"users": users}).status == 202


def a_version_that_nobody_runs() -> str:
    version = {"name": "9", "datastore_name": "spare", "datastore_manager": "redis", "image": "debian-12"}
    assert admin.post("/mgmt/datastore-versions", {"version": version | {"active": True}}).status == 202
    (found,) = admin.get("/datastores/spare/versions").body["versions"]
    return str(found["id"])


def await_gone(ids: Iterable[str]) -> None:
    """Their jobs take turns with all that was asked for before."""
    left = [f"/{noun}/{each}" for each in ids for noun in ("instances", "clusters", "configurations")]
    until = time.monotonic() + PATIENCE_SECONDS
    while left := [path for path in left if member.get(path).status != 404]:
        assert time.monotonic() < until, left
        time.sleep(0.1)


def await_job(job_id: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while (job := Job.get(job_id)).status == JobStatus.RUNNING:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert job.status == JobStatus.SUCCEEDED, job.message
