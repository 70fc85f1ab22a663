"""Backups over the API: ordered, shown, deleted with what adds to them, restored into new instances."""

from typing import Any

import pytest

from chalicelib.errors import Permanent
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import retake
from chalicelib.models.backup import Backup
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus, Status
from chalicelib.stores import store
from tests.api.client import Answer, ApiCaller
from tests.api.served import created
from tests.orders_placed import fresh_job
from tests.simulation.sending import BROKEN
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("ledger")
member, other, admin = ApiCaller(), ApiCaller("other", "p2"), ApiCaller("admin", "admin")
ROWS = b"rows of a customer"


def backup(instance_id: str, **more: Any) -> Answer:
    return member.post("/backups", {"backup": {"name": "b1", "instance": instance_id, **more}})


def job_of(answer: Answer) -> Job:
    return Job.get(next(iter(answer.body.values()))["job_id"])


def inside_of(simulation: Simulation, instance_id: str) -> Any:
    return simulation.guests.insides[str(Instance.get(instance_id).server_id)]


def taken(simulation: Simulation, instance_id: str, rows: bytes = ROWS, **more: Any) -> dict[str, Any]:
    inside_of(simulation, instance_id).data = rows
    answer = backup(instance_id, **more)
    assert answer.status == 202, answer.body
    simulation.carry_out(job_of(answer))
    shown: dict[str, Any] = member.get(f"/backups/{answer.body['backup']['id']}").body["backup"]
    return shown


def restored(backup_id: str, **more: Any) -> Answer:
    order = {"name": "again", "flavorRef": 1, "volume": {"size": 1}, "restorePoint": {"backupRef": backup_id}, **more}
    return member.post("/instances", {"instance": order})


def test_a_backup_is_ordered_taken_shown_and_deleted(simulation: Simulation, instance_id: str) -> None:
    inside_of(simulation, instance_id).data = ROWS
    answer = backup(instance_id, description="nightly")
    ordered = answer.body["backup"]
    assert (answer.status, ordered["status"], ordered["progress"]) == (202, "NEW", 0)
    assert (ordered["instance_id"], ordered["description"], ordered["parent_id"]) == (instance_id, "nightly", None)
    assert member.get(f"/instances/{instance_id}").body["instance"]["status"] == "BACKUP"

    simulation.carry_out(job_of(answer))

    shown = member.get(f"/backups/{ordered['id']}").body["backup"]
    assert (shown["status"], shown["progress"], shown["data_bytes"]) == ("COMPLETED", 100, len(ROWS))
    assert (shown["server_version"], shown["stored_bytes"] > len(ROWS)) == ("1.0", True)
    assert member.get(f"/instances/{instance_id}").body["instance"]["status"] == "ACTIVE"
    for path in ("/backups", f"/backups?instance_id={instance_id}", f"/instances/{instance_id}/backups"):
        assert [each["id"] for each in member.get(path).body["backups"]] == [ordered["id"]]
    assert member.get("/backups?datastore=mysql").body == {"backups": []}
    assert set(store().sizes(shown["locationRef"])) == {"data", "manifest.json"}

    assert member.delete(f"/backups/{ordered['id']}").status == 202
    assert member.get(f"/backups/{ordered['id']}").status == 404
    assert store().sizes(shown["locationRef"]) == {}


def test_what_is_stored_is_not_what_was_read(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)

    data = store().get(f"{shown['locationRef']}/data") or b""
    assert data.startswith(b"age-encryption.org/v1\n")
    assert ROWS not in data


def test_a_new_instance_has_what_was_backed_up(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)

    answer = restored(shown["id"])

    job = job_of(answer)
    assert (answer.status, job.workflow, len(answer.body["instance"]["password"])) == (200, "restore_backup", 32)
    refused = member.delete(f"/backups/{shown['id']}")
    assert (refused.status, "in use" in str(refused.body)) == (422, True)
    simulation.carry_out(job)
    instance = Instance.get(answer.body["instance"]["id"])
    assert (fresh_job(job).status, instance.status, instance.datastore) == (
        JobStatus.SUCCEEDED,
        Status.ACTIVE,
        "ledger",
    )
    assert inside_of(simulation, instance.instance_id).data == ROWS
    assert [path for path in inside_of(simulation, instance.instance_id).files if "identity" in path] == []
    assert member.delete(f"/backups/{shown['id']}").status == 202


def test_an_incremental_one_adds_to_the_newest_and_a_restore_reads_both(
    simulation: Simulation, instance_id: str
) -> None:
    first = taken(simulation, instance_id, b"first ", incremental=1)
    second = taken(simulation, instance_id, b"second", incremental=1)
    assert (first["parent_id"], second["parent_id"]) == (None, first["id"])

    job = job_of(restored(second["id"]))
    simulation.carry_out(job)

    assert inside_of(simulation, job.instance_ids[0]).data == b"first second"
    assert member.delete(f"/backups/{first['id']}").status == 202
    assert member.get("/backups").body == {"backups": []}


def test_it_is_taken_of_a_replica_that_follows_and_else_of_the_primary(simulation: Simulation) -> None:
    source_id = created(simulation)
    order = {"instance": {"name": "copy", "replica_of": source_id}}
    simulation.carry_out(job_of(member.post("/instances", order)))
    replica_id = Cluster.get(Instance.get(source_id).cluster_id).instance_ids[1]
    inside_of(simulation, replica_id).data = ROWS

    taken(simulation, source_id, b"of the primary")
    assert [each.taken_on for each in Backup.scan()] == [replica_id]

    def lag(address: str, command: str) -> None:
        if command.startswith("/opt/dtrove/replica-state"):
            raise Permanent("It does not follow.")

    simulation.guests.fail = lag
    taken(simulation, source_id)
    assert sorted(each.taken_on for each in Backup.scan()) == sorted([replica_id, source_id])


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"instance": "none"}, 404, "none cannot be found"),
        ({"name": ""}, 400, "['name']"),
        ({"parent_id": "none"}, 404, "none cannot be found"),
        ({"incremental": 2}, 400, "['incremental']"),
        ({"swift_container": "mine"}, 400, "['swift_container'] is not offered"),
        ({"storage_driver": "cinder"}, 400, "['storage_driver'] is not offered"),
        ({"restore_from": {"remote_location": "x"}}, 400, "['restore_from'] is not offered"),
    ],
)
def test_a_bad_order_takes_nothing(instance_id: str, more: dict[str, Any], status: int, said: str) -> None:
    answer = backup(**{"instance_id": instance_id, **more}) if "instance" not in more else backup("none")

    assert (answer.status, said in str(answer.body)) == (status, True), answer.body
    assert list(Backup.scan()) == []
    assert Instance.get(instance_id).backed_up_by is None


def test_one_at_a_time_and_nothing_else_meanwhile(instance_id: str) -> None:
    assert backup(instance_id).status == 202

    again = backup(instance_id)
    assert (again.status, "status was BACKUP" in str(again.body)) == (422, True)
    restart = member.post(f"/instances/{instance_id}/action", {"restart": {}})
    assert (restart.status, "status was BACKUP" in str(restart.body)) == (422, True)
    (running,) = member.get("/backups").body["backups"]
    assert member.delete(f"/backups/{running['id']}").status == 422


def test_one_whose_job_fails_says_why_and_is_ordered_anew(simulation: Simulation, instance_id: str) -> None:
    answer = backup(instance_id)
    job = job_of(answer)
    endings.fail(job, JobStatus.ABORTED, "Reset by admin.")

    shown = member.get(f"/backups/{answer.body['backup']['id']}").body["backup"]
    assert (shown["status"], shown["message"]) == ("FAILED", "Reset by admin.")
    assert member.get(f"/instances/{instance_id}").body["instance"]["status"] == "ACTIVE"
    with pytest.raises(Permanent, match="order the same anew"):
        retake(fresh_job(job), 1)
    assert restored(shown["id"]).status == 422
    assert taken(simulation, instance_id)["status"] == "COMPLETED"
    assert member.delete(f"/backups/{shown['id']}").status == 202


def test_a_restore_is_refused_before_anything_is_made(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)
    record = Backup.get(shown["id"])
    before = len(list(Job.scan()))

    of_another = restored(shown["id"], datastore={"type": "redis", "version": "7.0"})
    assert (of_another.status, "is of ledger 1" in str(of_another.body)) == (400, True)
    record.data_bytes = 2**30
    record.save()
    too_small = restored(shown["id"])
    assert (too_small.status, "1.0 GiB of data" in str(too_small.body)) == (400, True)
    record.data_bytes = 1
    record.save()
    store().put(f"{record.store_key}/data", b"cut")
    damaged = restored(shown["id"])
    assert (damaged.status, "no longer whole in the store" in str(damaged.body)) == (422, True)
    assert restored("none").status == 404
    assert len(list(Job.scan())) == before


def test_another_project_s_are_not_there(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)

    assert other.get(f"/backups/{shown['id']}").status == other.delete(f"/backups/{shown['id']}").status == 404
    assert other.get(f"/instances/{instance_id}/backups").status == 404
    assert other.get(f"/backups?instance_id={instance_id}").body == {"backups": []}
    assert other.post("/backups", {"backup": {"name": "b", "instance": instance_id}}).status == 404
    order = {"name": "x", "flavorRef": 1, "restorePoint": {"backupRef": shown["id"]}}
    assert other.post("/instances", {"instance": order}).status == 404


def test_its_cluster_may_be_gone(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)
    member.delete(f"/instances/{instance_id}")
    simulation.carry_out(max(Job.scan(), key=lambda each: each.sort_key))
    assert member.get(f"/instances/{instance_id}").status == 404

    assert [each["id"] for each in member.get(f"/instances/{instance_id}/backups").body["backups"]] == [shown["id"]]
    job = job_of(restored(shown["id"]))
    simulation.carry_out(job)

    assert inside_of(simulation, job.instance_ids[0]).data == ROWS


def test_a_note_on_a_backup_leaves_its_revision_to_rise(simulation: Simulation, instance_id: str) -> None:
    """Else a copy that was read long ago would be taken for the newest."""
    shown = taken(simulation, instance_id)
    before = Backup.get(shown["id"]).revision

    job = job_of(restored(shown["id"]))
    held = Backup.get(shown["id"])
    assert (held.revision, held.used_by) == (before + 1, {job.job_id})
    simulation.carry_out(job)

    assert (Backup.get(shown["id"]).revision, Backup.get(shown["id"]).used_by) == (before + 2, None)


def test_a_cluster_is_restored_with_its_replicas(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)
    order = {"name": "c", "size": 2, "flavorRef": 1, "datastore": {"type": "ledger"}}

    answer = member.post("/clusters", {"cluster": order | {"restorePoint": {"backupRef": shown["id"]}}})

    job = job_of(answer)
    assert (job.workflow, len(job.instance_ids)) == ("restore_backup", 2)
    simulation.carry_out(job)
    assert fresh_job(job).status == JobStatus.SUCCEEDED
    assert inside_of(simulation, job.instance_ids[0]).data == ROWS
    assert "dtrove-seed" in inside_of(simulation, job.instance_ids[1]).started


def test_what_was_never_filled_does_not_serve(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id)
    job = job_of(restored(shown["id"]))
    endings.fail(job, JobStatus.FAILED, "the store was away")

    for action in ("restart", "start", "stop"):
        refused = member.post(f"/instances/{job.instance_ids[0]}/action", {action: {}})
        assert (refused.status, "never served" in str(refused.body)) == (422, True), refused.body
    assert member.delete(f"/instances/{job.instance_ids[0]}").status == 202


def test_one_that_adds_to_a_replica_s_is_no_primary_s(simulation: Simulation) -> None:
    source_id = created(simulation)
    simulation.carry_out(job_of(member.post("/instances", {"instance": {"name": "copy", "replica_of": source_id}})))
    taken(simulation, source_id)

    def lag(address: str, command: str) -> None:
        if command.startswith("/opt/dtrove/replica-state"):
            raise Permanent("It does not follow.")

    simulation.guests.fail = lag
    shown = taken(simulation, source_id, incremental=1)
    assert (shown["status"], "take a whole one" in shown["message"]) == ("FAILED", True)


def test_a_failed_one_leaves_nothing_in_the_store_and_on_the_guest(simulation: Simulation, instance_id: str) -> None:
    shown = taken(simulation, instance_id, BROKEN)

    assert shown["status"] == "FAILED"
    backup = Backup.get(shown["id"])
    assert store().sent(backup.data_key, str(backup.upload_id)) == []
    assert [path for path in inside_of(simulation, instance_id).files if shown["id"] in path] == []


def test_a_backup_is_taken_while_another_member_is_in_error(simulation: Simulation) -> None:
    source_id = created(simulation)
    simulation.carry_out(job_of(member.post("/instances", {"instance": {"name": "copy", "replica_of": source_id}})))
    cluster = Cluster.get(Instance.get(source_id).cluster_id)
    for record in (cluster, cluster.instances()[1]):
        record.status = Status.ERROR
        record.save()

    assert taken(simulation, source_id)["status"] == "COMPLETED"


def test_what_is_not_known_of_a_backup_is_refused(instance_id: str) -> None:
    answer = backup(instance_id, parent="x")

    assert (answer.status, "['parent'] is not known" in str(answer.body)) == (400, True)


def test_a_project_has_so_many_and_no_more(simulation: Simulation, instance_id: str) -> None:
    admin.send("PUT", "/mgmt/quotas/p1", {"quotas": {"backups": 1}})
    shown = taken(simulation, instance_id)
    assert counted() == (1, 1)

    refused = backup(instance_id)
    assert (refused.status, "['backups'] (limit 1)" in str(refused.body)) == (413, True)
    assert counted() == (1, 1)
    member.delete(f"/backups/{shown['id']}")
    assert counted() == (0, 1)
    assert backup(instance_id).status == 202


def counted() -> tuple[int, int]:
    (line,) = [each for each in member.get("/mgmt/quotas/p1").body["quotas"] if each["resource"] == "backups"]
    return line["in_use"], line["limit"]


def test_pages_go_on_by_the_links_and_by_ids(simulation: Simulation, instance_id: str) -> None:
    ids = [taken(simulation, instance_id)["id"] for _ in range(3)][::-1]

    first = member.get("/backups?limit=1").body
    assert [each["id"] for each in first["backups"]] == ids[:1]
    query = first["links"][0]["href"].split("?")[1]
    assert [each["id"] for each in member.get(f"/backups?{query}").body["backups"]] == [ids[1]]
    assert [each["id"] for each in member.get(f"/backups?marker={ids[1]}").body["backups"]] == [ids[2]]
