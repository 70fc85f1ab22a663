"""A volume made larger: what may be asked, whom it is about, what it counts, and how it ends."""

from typing import Any

import pytest

from chalicelib.errors import Permanent, ProviderError
from chalicelib.jobs.beginnings import retake
from chalicelib.jobs.endings import fail
from chalicelib.jobs.quota import use_of
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus, Status
from tests.api.client import Answer, ApiCaller
from tests.orders_placed import active, change, fresh, fresh_job, ordered
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")
member = ApiCaller()


def resized(instance_id: str, volume: Any) -> Answer:
    return member.post(f"/instances/{instance_id}/action", {"resize": {"volume": volume}})


def used_gib() -> int:
    return int(use_of("p1").volumes_gib)


def newest_job(cluster: Cluster) -> Job:
    newest = max(Job.by_cluster.query(cluster.cluster_id), key=lambda each: each.sort_key)
    return Job.get(newest.job_id)


def served(simulation: Simulation, size: int = 2) -> Cluster:
    placed = ordered(size, volume_gib=1)
    simulation.carry_out(placed.job)
    return fresh(placed.cluster)


@pytest.mark.parametrize("volume", [{"size": 3}, 3])
def test_a_primary_s_volume_grows_and_its_replicas_with_it(simulation: Simulation, volume: Any) -> None:
    cluster = served(simulation)

    answer = resized(str(cluster.primary_id), volume)

    shown = member.get(f"/instances/{cluster.primary_id}").body["instance"]
    assert (answer.status, shown["status"], shown["volume"]) == (202, "RESIZE", {"size": 1})
    assert used_gib() == 6
    simulation.carry_out(newest_job(cluster))
    for each in cluster.instance_ids:
        shown = member.get(f"/instances/{each}").body["instance"]
        assert (shown["status"], shown["volume"]) == ("ACTIVE", {"size": 3})
        assert simulation.cloud.volumes[each].size_gib == 3
    assert used_gib() == 6
    simulation.carry_out(change("delete_cluster", fresh(cluster)).job)
    assert used_gib() == 0


def test_a_replica_s_grows_alone_and_is_left_alone_when_its_primary_comes_up_to_it(simulation: Simulation) -> None:
    cluster = served(simulation)
    primary_id, replica_id = cluster.instance_ids

    assert resized(replica_id, 4).status == 202
    simulation.carry_out(newest_job(cluster))
    assert resized(primary_id, 3).status == 202

    assert newest_job(cluster).instance_ids == [primary_id]
    simulation.carry_out(newest_job(cluster))
    assert [each.volume_gib for each in fresh(cluster).instances()] == [3, 4]


@pytest.mark.parametrize(
    ("volume", "status", "said"),
    [
        (2, 400, "must be larger than the current one of 2 GiB"),
        ({"size": 1}, 400, "must be larger"),
        ({"size": 0}, 400, "['resize']['volume']['size']"),
        ({"size": "x"}, 400, "['resize']['volume']['size']"),
        ({}, 400, "['resize']['volume']['size'] is a required property"),
        ("large", 400, "['resize']['volume']"),
        (True, 400, "['resize']['volume']"),
        (None, 400, "['resize']['volume'] is a required property"),
        (100_000, 413, "a volume is at most"),
        (99, 413, "['volumes'] (limit 100 GiB)"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(volume: Any, status: int, said: str) -> None:
    cluster = active(2, volume_gib=2)

    answer = resized(cluster.instance_ids[0], volume)

    assert answer.status == status, answer.body
    assert said in str(answer.body)
    assert newest_job(cluster).workflow == "create_cluster"
    assert (fresh(cluster).held_by, used_gib()) == (None, 4)


def test_an_instance_without_a_volume_has_none_to_grow() -> None:
    cluster = active(1)

    answer = resized(cluster.instance_ids[0], 3)

    assert (answer.status, "does not have a volume" in str(answer.body)) == (400, True)


def test_what_is_stopped_or_busy_is_not_grown(simulation: Simulation) -> None:
    cluster = served(simulation)
    simulation.carry_out(change("stop_cluster", cluster, cluster.instance_ids[1]).job)

    assert resized(cluster.instance_ids[0], 3).status == 422  # its replica is stopped
    member.post(f"/instances/{cluster.instance_ids[0]}/action", {"restart": {}})
    assert resized(cluster.instance_ids[0], 3).status == 422


def test_what_the_cloud_refuses_leaves_all_as_it_was(simulation: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = served(simulation)
    full = ProviderError("VolumeSizeExceedsAvailableQuota: no room.")

    def refuse(provider: Any, instance: Instance, volume_gib: int) -> bool:
        raise full

    monkeypatch.setattr("chalicelib.providers.memory.MemoryProvider.extend_volume", refuse)
    resized(str(cluster.primary_id), 3)
    job = newest_job(cluster)
    simulation.carry_out(job)

    assert (fresh_job(job).status, "no room" in str(fresh_job(job).message)) == (JobStatus.FAILED, True)
    cluster = fresh(cluster)
    assert (cluster.status, "no room" in str(cluster.message), cluster.held_by) == (Status.ACTIVE, True, None)
    assert [(each.status, each.volume_gib, each.status_before) for each in cluster.instances()] == [
        (Status.ACTIVE, 1, None)
    ] * 2
    assert used_gib() == 2


def test_one_that_is_in_error_is_so_again_if_it_fails_and_serves_if_not(simulation: Simulation) -> None:
    cluster = served(simulation, 1)
    (instance,) = cluster.instances()
    for record in (cluster, instance):
        record.status, record.message = Status.ERROR, "no space left"
        record.save()
    simulation.guests.fail = no_growing

    resized(instance.instance_id, 3)
    job = newest_job(cluster)
    simulation.carry_out(job)

    (instance,) = fresh(cluster).instances()
    assert (instance.status, fresh(cluster).status, instance.volume_gib, used_gib()) == ("ERROR", "ERROR", 3, 3)
    simulation.guests.fail = lambda address, command: None
    assert resized(instance.instance_id, 3).status == 202  # as large already, and its file system is not
    simulation.carry_out(newest_job(cluster))
    (instance,) = fresh(cluster).instances()
    assert (instance.status, fresh(cluster).status, instance.message, used_gib()) == ("ACTIVE", "ACTIVE", None, 3)
    assert resized(instance.instance_id, 3).status == 400


def no_growing(address: str, command: str) -> None:
    if "xfs_growfs" in command:
        raise Permanent("xfs_growfs: no.")


def test_a_failed_one_is_ordered_anew_and_not_redriven() -> None:
    cluster = active(1, volume_gib=1)
    resized(cluster.instance_ids[0], 3)
    job = newest_job(cluster)
    fail(job, JobStatus.FAILED, "the cloud was down")
    assert used_gib() == 1

    with pytest.raises(Permanent, match="order the same anew"):
        retake(fresh_job(job), 1)

    assert (used_gib(), fresh(cluster).held_by) == (1, None)
    assert resized(cluster.instance_ids[0], 3).status == 202
