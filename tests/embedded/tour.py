"""What callers, clocks and failures have the functions do, beyond a cluster's life by hand: each call at least once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from chalicelib.models.job import Job
from chalicelib.models.schedule import Schedule
from chalicelib.providers.base import OwnedResource
from chalicelib.providers.memory_cloud import Address
from local.api import Api, ApiError
from local.service import STACK
from tests.embedded.invented import held
from tests.embedded.policies import denials, without
from tests.embedded.service import PATIENCE_SECONDS, Embedded
from tests.ledger import REFUSED, RULED
from tests.local.deployed import until
from tests.simulation.sending import BROKEN

ORDER: dict[str, Any] = {
    "datastore": {"type": "redis", "version": "7.0"},
    "size": 2,
    "flavorRef": "1",
    "volume": {"size": 1},
}
RESTORED: dict[str, Any] = {"name": "restored", "flavorRef": "1", "volume": {"size": 1}}
GROUP: dict[str, Any] = {"name": "tour", "values": {"most": 20}, "datastore": {"type": "redis", "version": "7.0"}}


def tour(service: Embedded) -> None:
    member, admin = service.api(), service.api("DTROVE_ADMIN_TOKEN")
    catalog(service, member, admin)
    cluster_id = cluster_of(service, member)
    instance_id = member.get(f"/clusters/{cluster_id}")["cluster"]["instances"][0]["id"]
    groups(service, member, cluster_id)
    accounts(service, member, instance_id)
    logs(service, member, instance_id)
    volumes(service, member, member.get(f"/clusters/{cluster_id}")["cluster"]["instances"][1]["id"])
    backups(service, member, instance_id)
    schedules(service, member, instance_id)
    management(admin, instance_id)
    turns(service, cluster_id, instance_id)
    bad_endings(service, cluster_id)
    unowned(service)
    leave(member, cluster_id)
    locks_lost(service)
    nothing_heard_of(service)


def catalog(service: Embedded, member: Api, admin: Api) -> None:
    for path in ("/datastores", "/datastores/redis", "/datastores/redis/versions", "/flavors", "/flavors/1", "/limits"):
        member.get(path)
    member.get("/datastores/redis/versions/7.0/volume-types")
    version = {"datastore_name": "redis", "name": "9", "datastore_manager": "redis", "image": "none", "packages": []}
    admin.post("/mgmt/datastore-versions", {"version": version | {"active": True}})
    stale = {"shelf": {"S": "flavors"}, "flavor_id": {"S": "gone"}, "name": {"S": "gone"}}
    numbers = {"memory_mib": {"N": "1"}, "vcpus": {"N": "1"}}
    service.aws.client("dynamodb").put_item(TableName="dtrove-flavors", Item=stale | numbers)
    service.invoke("SweepCloud")


def cluster_of(service: Embedded, member: Api) -> str:
    """Order a cluster with a key, and again with it: the answer was kept. What is asked for takes a while."""
    with held(service.world) as state:
        state.polls = 1
    with pytest.raises(HTTPError):
        with_key(member, "/clusters", {"cluster": {}})  # of no effect: nothing is kept
    body = {"cluster": {"name": "tour", **ORDER}}
    first, second = with_key(member, "/clusters", body), with_key(member, "/clusters", body)
    assert first == second
    ends(member, first["cluster"]["job_id"])
    with held(service.world) as state:
        state.polls = 0
    for path in ("/clusters", "/instances", "/instances/detail", "/jobs"):
        member.get(path)
    return str(first["cluster"]["id"])


def with_key(api: Api, path: str, body: object) -> Any:
    headers = {"X-Auth-Token": api.token, "Content-Type": "application/json", "Idempotency-Key": "tour"}
    with urlopen(Request(api.url + path, json.dumps(body).encode(), headers), timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def ends(api: Api, job_id: str, status: str = "SUCCEEDED") -> None:
    job = api.await_job(job_id, seconds=PATIENCE_SECONDS)
    assert job["status"] == status, job


def groups(service: Embedded, member: Api, cluster_id: str) -> None:
    group_id = member.post("/configurations", {"configuration": GROUP})["configuration"]["id"]
    member.get("/configurations")
    member.get(f"/configurations/{group_id}")
    settled(
        member, "POST", f"/clusters/{cluster_id}", {"configuration_attach": {"configuration_id": group_id}}, cluster_id
    )
    member.get(f"/configurations/{group_id}/instances")
    settled(member, "PATCH", f"/configurations/{group_id}", {"configuration": {"values": {"most": 21}}}, cluster_id)
    grown = {"grow": [{"flavorRef": "1", "volume": {"size": 1}}]}
    ends(member, member.post(f"/clusters/{cluster_id}", grown)["job"]["id"])
    settled(member, "POST", f"/clusters/{cluster_id}", {"configuration_detach": {}}, cluster_id)
    with_group(service, member, group_id)
    member.delete(f"/configurations/{group_id}")


def volumes(service: Embedded, member: Api, instance_id: str) -> None:
    """Order larger ones: one comes, one is refused by the cloud, one never begins. Both give back what they counted.

    A replica's: no other's grows with it.
    """
    action, larger = f"/instances/{instance_id}/action", {"resize": {"volume": {"size": 3}}}
    member.post(action, {"resize": {"volume": {"size": 2}}})
    at_rest(service)
    assert member.get(f"/instances/{instance_id}")["instance"]["volume"] == {"size": 2}
    used = gib_used(service)
    with held(service.world) as state:
        state.shelves["volumes"][instance_id].size_gib = 9  # none shrinks
    member.post(action, larger)
    until(lambda: gib_used(service), lambda now: now == used, PATIENCE_SECONDS)
    with held(service.world) as state:
        state.shelves["volumes"][instance_id].size_gib = 2
    with without(service, "APIHandler", "Start"):
        member.post(action, larger)
    (lost,) = open_jobs(service)
    age(service, lost["job_id"], timedelta(days=1))
    service.invoke("Sweep")
    assert gib_used(service) == used


def gib_used(service: Embedded) -> int:
    answer = service.aws.client("dynamodb").get_item(TableName="dtrove-projects", Key={"project_id": {"S": "demo"}})
    return int(answer["Item"]["volumes_gib"]["N"])


def backups(service: Embedded, member: Api, instance_id: str) -> None:
    """One, one that adds to it, and a restore of both; then one that fails, and one that never begins."""
    order = {"backup": {"name": "tour", "instance": instance_id, "incremental": 1}}
    write(service, b"rows ")
    first = member.post("/backups", order)["backup"]
    ends(member, first["job_id"])
    by_hand = json.dumps({"instance_id": instance_id, "name": "tour", "incremental": True})
    assert service.ended(service.start("create_backup", "tour-backup", by_hand))["status"] == "SUCCEEDED"
    newest, *_ = member.get(f"/instances/{instance_id}/backups")["backups"]
    assert (newest["parent_id"], newest["status"]) == (first["id"], "COMPLETED")
    restored = member.post("/instances", {"instance": RESTORED | {"restorePoint": {"backupRef": newest["id"]}}})
    ends(member, restored["instance"]["job_id"])
    assert b"rows rows " in [each.data for each in insides(service)]
    member.delete(f"/instances/{restored['instance']['id']}")
    at_rest(service)
    write(service, BROKEN)
    failed = member.post("/backups", order)["backup"]
    ends(member, failed["job_id"], "FAILED")
    member.delete(f"/backups/{failed['id']}")
    with held(service.world) as state:
        state.polls = 1_000
    stopped = member.post("/backups", order)["backup"]
    service.aws.client("stepfunctions").stop_execution(executionArn=open_jobs(service)[-1]["execution_arn"])
    ends(member, stopped["job_id"], "ABORTED")
    assert member.get(f"/backups/{stopped['id']}")["backup"]["status"] == "FAILED"
    with held(service.world) as state:
        state.polls = 0
    member.delete(f"/backups/{stopped['id']}")
    with without(service, "APIHandler", "Start"):
        lost = member.post("/backups", order)["backup"]
    age(service, lost["job_id"], timedelta(days=2))
    service.invoke("Sweep")
    assert member.get(f"/backups/{lost['id']}")["backup"]["status"] == "FAILED"
    member.delete(f"/backups/{first['id']}")
    assert [each["status"] for each in member.get("/backups")["backups"] if each["name"] == "tour"] == []


def schedules(service: Embedded, member: Api, instance_id: str) -> None:
    """Four nights: whole, added to it, stopped, whole; then the first three go. And one whose instance is gone."""
    order = {"name": "tour", "instance": instance_id, "cron": "0 0 29 2 *", "window_minutes": 0}
    made = member.post("/schedules", {"schedule": order | {"full_every": 2, "retention": {"count": 1}}})["schedule"]
    path = f"/schedules/{made['id']}"
    write(service, b"rows ")
    for night in (1, 2):
        order_by_schedule(service, made["id"], night)
        at_rest(service)
    with held(service.world) as state:
        state.polls = 1_000
    order_by_schedule(service, made["id"], 3)
    stopped = f"/backups/{member.get(path)['schedule']['last_backup_id']}"
    until(lambda: member.get(stopped)["backup"]["status"], lambda now: now == "BUILDING", PATIENCE_SECONDS)
    service.aws.client("stepfunctions").stop_execution(executionArn=open_jobs(service)[-1]["execution_arn"])
    at_rest(service)
    with held(service.world) as state:
        state.polls = 0
    order_by_schedule(service, made["id"], 4)
    at_rest(service)
    look_at(service, made["id"])
    at_rest(service)
    found = member.get(f"/backups?instance_id={instance_id}")["backups"]
    assert [each["status"] for each in found] == ["COMPLETED"], (found, denials(service, "Records"))
    (left,) = found
    assert left["id"] == member.get(path)["schedule"]["last_backup_id"]
    member.send("PATCH", path, {"schedule": {"is_paused": True}})
    assert [each["id"] for each in member.get("/schedules")["schedules"]] == [made["id"]]
    member.delete(path)
    member.delete(f"/backups/{left['id']}")
    lost = member.post("/schedules", {"schedule": order})["schedule"]["id"]
    look_at(service, lost, instance_id="gone")
    assert member.get("/schedules")["schedules"] == []
    member.post("/schedules", {"schedule": order})  # for its cluster to take along


def order_by_schedule(service: Embedded, schedule_id: str, minutes: int) -> None:
    """Have a time of the schedule's been due so many minutes ago less ten, and look at it."""
    next_at = Schedule.next_at.serialize(datetime.now(UTC) + timedelta(minutes=minutes - 10))
    assert look_at(service, schedule_id, next_at=next_at) == 1, denials(service, "Scheduler")


def look_at(service: Embedded, schedule_id: str, **values: str) -> int:
    values |= {"look_at": Schedule.look_at.serialize(datetime.now(UTC) - timedelta(minutes=1))}
    service.aws.client("dynamodb").update_item(
        TableName="dtrove-schedules",
        Key={"schedule_id": {"S": schedule_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
    )
    return int(service.invoke("Scheduler"))


def write(service: Embedded, data: bytes) -> None:
    with held(service.world) as state:
        for inside in state.insides.values():
            inside.data = data


def insides(service: Embedded) -> list[Any]:
    with held(service.world) as state:
        return list(state.insides.values())


def with_group(service: Embedded, member: Api, group_id: str) -> None:
    """Order with a group, through the API and from the console."""
    made = member.post("/clusters", {"cluster": ORDER | {"name": "one", "size": 1, "configuration": group_id}})[
        "cluster"
    ]
    ends(member, made["job_id"])
    order = {"project_id": "demo", "cluster": ORDER | {"name": "two", "size": 1, "configuration": group_id}}
    assert service.ended(service.start("create_cluster", "tour-two", json.dumps(order)))["status"] == "SUCCEEDED"
    for each in member.get("/clusters")["clusters"]:
        if each["name"] in {"one", "two"}:
            leave(member, each["id"])


def settled(member: Api, method: str, path: str, body: object, cluster_id: str) -> None:
    member.send(method, path, body)
    latest = f"/jobs?cluster_id={cluster_id}"
    until(lambda: member.get(latest)["jobs"], lambda jobs: jobs[0]["status"] != "RUNNING", PATIENCE_SECONDS)


def at_rest(service: Embedded) -> None:
    """Wait until no job is open: a small change is answered before it is done if the machine is busy."""
    until(lambda: open_jobs(service), lambda left: not left, PATIENCE_SECONDS)


def accounts(service: Embedded, member: Api, instance_id: str) -> None:
    path = f"/instances/{instance_id}"
    member.post(f"{path}/databases", {"databases": [{"name": "shop"}]})
    member.post(f"{path}/users", {"users": [{"name": "ann", "password": "correct-horse"}]})
    at_rest(service)
    assert [each["name"] for each in member.get(f"{path}/databases")["databases"]] == ["shop"]
    member.delete(f"{path}/users/ann")
    at_rest(service)


def logs(service: Embedded, member: Api, instance_id: str) -> None:
    path = f"/instances/{instance_id}/log"
    write_logs(service)
    member.post(path, {"name": "server", "publish": 1})
    at_rest(service)
    (file,) = member.get(f"{path}/server/files")["files"]
    assert urlopen(file["url"], timeout=60).read() == b"hello\n"  # noqa: S310
    member.get(f"{path}/server/tail")
    for act in ("discard", "publish"):  # the last for the end of the instance to take along
        member.post(path, {"name": "server", act: 1})
        at_rest(service)


def write_logs(service: Embedded) -> None:
    with held(service.world) as state:
        for inside in state.insides.values():
            inside.logbook.write("/log/server", b"hello\n")


def management(admin: Api, instance_id: str) -> None:
    for path in ("/mgmt/instances", "/mgmt/clusters", f"/mgmt/instances/{instance_id}/hwinfo"):
        admin.get(path)
    admin.send("PUT", "/mgmt/quotas/demo", {"quotas": {"instances": -1}})
    admin.get("/mgmt/quotas/demo")
    look = {"perform": {"name": "look", "commands": ["uptime"]}}
    ends(admin, admin.post(f"/mgmt/instances/{instance_id}/action", look)["job"]["id"])


def turns(service: Embedded, cluster_id: str, instance_id: str) -> None:
    """Changes of a log that wait for their turn and end without it."""
    member, admin = service.api(), service.api("DTROVE_ADMIN_TOKEN")
    publish = f"/instances/{instance_id}/log", {"name": "server", "publish": 1}
    with without(service, "APIHandler", "Start"):
        member.post(*publish)  # is first, and never begins
    member.post(*publish)
    waiting = open_jobs(service)[-1]
    service.aws.client("stepfunctions").stop_execution(executionArn=waiting["execution_arn"])
    ends(member, waiting["job_id"], "ABORTED")
    admin.post(f"/mgmt/clusters/{cluster_id}/action", {"reset-task": {}})
    with without(service, "APIHandler", "Start"):
        member.post(*publish)
        member.post(*publish)
    for each in open_jobs(service):
        age(service, each["job_id"], timedelta(days=1))
    service.invoke("Sweep")
    assert open_jobs(service) == []
    with held(service.world) as state:
        state.ledger["settings"]["most"] = RULED
    with suppress(ApiError):  # who waits long enough is told
        member.post(f"/instances/{instance_id}/log", {"name": "general", "enable": 1})
    at_rest(service)
    assert "noisy is set by" in member.newest_job(cluster_id)["message"]


def open_jobs(service: Embedded) -> list[dict[str, str]]:
    """Return those that run, in the order in which they began."""
    found = service.aws.client("dynamodb").scan(TableName="dtrove-jobs")["Items"]
    running = sorted((each for each in found if "openness" in each), key=lambda each: each["sort_key"]["S"])
    prefix = service.outputs["MachinePrefix"].replace(":stateMachine:", ":execution:")
    return [
        {"job_id": each["job_id"]["S"], "execution_arn": f"{prefix}{each['workflow']['S']}:{each['job_id']['S']}"}
        for each in running
    ]


def bad_endings(service: Embedded, cluster_id: str) -> None:
    """Jobs whose failure an event tells of; redriven, they fail again, and nobody hears of that but the sweep."""
    member = service.api()
    order = ORDER | {"name": "lost", "datastore": {"type": "redis", "version": "9"}, "size": 1}
    made = member.post("/clusters", {"cluster": order})["cluster"]
    ends(member, made["job_id"], "FAILED")
    redriven(service, "Cloud", "create_cluster", made["job_id"], "CreateServer", of(made))
    leave(member, made["id"])
    refused = {"configuration": GROUP | {"name": "refused", "values": {"most": REFUSED}}}
    group_id = member.post("/configurations", refused)["configuration"]["id"]
    attach = {"configuration_attach": {"configuration_id": group_id}}
    job_id = member.post(f"/clusters/{cluster_id}", attach)["job"]["id"]
    ends(member, job_id, "FAILED")
    cluster = member.get(f"/clusters/{cluster_id}")["cluster"]
    redriven(service, "Guest", "configure_instances", job_id, "ApplyParameters", of(cluster))
    settled(member, "POST", f"/clusters/{cluster_id}", {"configuration_detach": {}}, cluster_id)


def of(cluster: Any) -> dict[str, str]:
    """Return a baton for its first instance."""
    return {"cluster_id": cluster["id"], "instance_id": cluster["instances"][0]["id"]}


def redriven(service: Embedded, function: str, workflow: str, job_id: str, state: str, baton: dict[str, str]) -> None:
    """Run its failed step as a redriven execution does, which the embedded AWS knows nothing of; then sweep."""
    arn = f"{service.outputs['MachinePrefix'].replace(':stateMachine:', ':execution:')}{workflow}:{job_id}"
    event = {"step": state, "execution": {"Id": arn, "Name": job_id, "RedriveCount": 1}, "baton": baton}
    functions = service.aws.client("lambda")
    answer = functions.invoke(FunctionName=service.outputs[f"{function}Function"], Payload=json.dumps(event))
    assert json.load(answer["Payload"])["errorType"] == "Permanent"
    age(service, job_id, timedelta(minutes=5))
    assert [job_id in line for line in service.invoke("Sweep")] == [True]


def unowned(service: Embedded) -> None:
    """Have an address of a cluster that is not there looked at, beside the servers that are."""
    born = datetime.now(UTC)
    with held(service.world) as state:
        mine = OwnedResource("address", "a-1", "c-gone", None, born, STACK)
        state.shelves["addresses"]["c-gone"] = Address(mine, "192.0.2.99")
    assert service.invoke("SweepCloud")["orphans"]
    with held(service.world) as state:
        del state.shelves["addresses"]["c-gone"]


def locks_lost(service: Embedded) -> None:
    """Steps whose job an administrator ends while they act: they take back their note, and nothing else."""
    member, admin = service.api(), service.api("DTROVE_ADMIN_TOKEN")
    for point in ("create server", "write"):
        with at_gate(service, point) as made:
            admin.post(f"/mgmt/clusters/{made['id']}/action", {"reset-task": {}})
        leave(member, made["id"])


@contextmanager
def at_gate(service: Embedded, point: str) -> Iterator[Any]:
    """Order a cluster and yield it while a step of its creation is held before an effect of that name."""
    gate = service.world.with_name(f"gate-{uuid4()}")
    with held(service.world) as state:
        state.gate, state.at = gate, point
    made = service.api().post("/clusters", {"cluster": ORDER | {"name": point, "size": 1}})["cluster"]
    until(gate.with_suffix(".reached").exists, bool, PATIENCE_SECONDS)
    yield made
    gate.with_suffix(".open").touch()
    with held(service.world) as state:
        state.gate = None


def leave(member: Api, cluster_id: str) -> None:
    member.delete(f"/clusters/{cluster_id}")
    ends(member, member.newest_job(cluster_id)["id"])


def nothing_heard_of(service: Embedded) -> None:
    """Jobs that never began, of which one is begun by the sweep, one is too old, and one is reset."""
    member, admin = service.api(), service.api("DTROVE_ADMIN_TOKEN")
    with without(service, "APIHandler", "Start"):
        late, lost, stuck = (
            member.post("/clusters", {"cluster": ORDER | {"name": name, "size": 1}})["cluster"]
            for name in ("late", "lost", "stuck")
        )
    admin.post(f"/mgmt/clusters/{stuck['id']}/action", {"reset-task": {}})
    age(service, late["job_id"], timedelta(minutes=2))
    age(service, lost["job_id"], timedelta(days=1))
    service.invoke("Sweep")
    ends(member, late["job_id"])
    ends(member, lost["job_id"], "FAILED")
    for each in (late, lost, stuck):
        leave(member, each["id"])
    service.invoke("SweepCloud")


def age(service: Embedded, job_id: str, by: timedelta) -> None:
    """Have the job begun that much earlier."""
    started_at = Job.started_at.serialize(datetime.now(UTC) - by)
    service.aws.client("dynamodb").update_item(
        TableName="dtrove-jobs",
        Key={"job_id": {"S": job_id}},
        UpdateExpression="SET started_at = :then",
        ExpressionAttributeValues={":then": {"S": started_at}},
    )
