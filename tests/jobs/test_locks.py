"""Locks: one job changes a cluster at a time, and only while it holds it."""

from dataclasses import replace

import pytest

from chalicelib.errors import Permanent, Unprocessable
from chalicelib.jobs import beginnings, endings
from chalicelib.jobs.workflows import WORKFLOWS, Lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Record, Stale, transaction
from chalicelib.models.status import JobStatus, Status
from tests.orders_placed import active, change, fresh, fresh_job, grown, ordered

pytestmark = pytest.mark.usefixtures("catalog")


def test_a_job_holds_the_cluster_and_each_of_its_instances() -> None:
    cluster = active()

    placed = change("restart_cluster", cluster)

    instances = fresh(cluster).instances()
    assert {fresh(cluster).held_by, *(each.held_by for each in instances)} == {placed.job.job_id}
    assert {fresh(cluster).status, *(each.status for each in instances)} == {Status.RESTARTING}


def test_a_job_about_one_instance_holds_all_and_moves_one() -> None:
    cluster = active()

    change("restart_cluster", cluster, cluster.instance_ids[1])

    assert [each.status for each in fresh(cluster).instances()] == [Status.ACTIVE, Status.RESTARTING, Status.ACTIVE]


def test_of_two_requests_that_both_saw_it_free_one_wins() -> None:
    cluster = active(1)
    late = fresh(cluster)
    job = beginnings.draft("restart_cluster", late, late.instance_ids, "member")
    instances = late.instances()
    winner = change("restart_cluster", cluster).job

    with pytest.raises(Stale), transaction() as batch:
        beginnings.take_lock(batch, job, late, instances)

    assert fresh(cluster).held_by == winner.job_id
    assert Job.find(job.job_id) is None


def test_a_save_of_a_job_that_lost_the_lock_changes_nothing() -> None:
    placed = ordered(1)
    late = Instance.get(placed.instances[0].instance_id, consistent_read=True)
    endings.fail(placed.job, JobStatus.FAILED, "swept")

    late.address = "10.0.0.1"
    with pytest.raises(Stale):
        late.save_held()

    assert Instance.get(late.instance_id).address is None


def test_closing_frees_everything_at_once() -> None:
    placed = ordered(2)

    endings.succeed(placed.job)

    cluster = fresh(placed.cluster)
    assert (cluster.status, cluster.held_by) == (Status.ACTIVE, None)
    assert [(each.status, each.held_by) for each in cluster.instances()] == [(Status.ACTIVE, None)] * 2
    job = fresh_job(placed.job)
    assert (job.status, job.openness) == (JobStatus.SUCCEEDED, None)
    assert [(each.name, each.percent) for each in job.reached] == [("c1-member-1", 100), ("c1-member-2", 100)]


def test_a_failed_create_is_an_error_with_its_reason() -> None:
    placed = ordered(2)

    endings.fail(placed.job, JobStatus.FAILED, "no valid host")

    cluster = fresh(placed.cluster)
    assert (cluster.status, cluster.message, cluster.held_by) == (Status.ERROR, "no valid host", None)
    assert {each.message for each in cluster.instances()} == {"no valid host"}
    assert fresh_job(placed.job).message == "no valid host"


def test_a_failed_growth_leaves_the_cluster_serving() -> None:
    cluster = active(1)
    placed = grown(cluster)

    endings.fail(placed.job, JobStatus.FAILED, "no valid host")

    cluster = fresh(cluster)
    assert (cluster.status, cluster.message) == (Status.ACTIVE, "no valid host")
    assert [each.status for each in cluster.instances()] == [Status.ACTIVE, Status.ERROR]


def test_what_never_joined_can_be_removed_again() -> None:
    cluster = active(1)
    endings.fail(grown(cluster).job, JobStatus.FAILED, "no valid host")

    removal = change("remove_instance", cluster, fresh(cluster).instance_ids[1])
    endings.forget_instances(removal.job)

    cluster = fresh(cluster)
    assert (cluster.status, cluster.message, len(cluster.members)) == (Status.ACTIVE, None, 1)


@pytest.mark.parametrize("workflow", ["perform", "rotate_key"])
def test_a_failed_errand_leaves_the_cluster_as_it_was(workflow: str) -> None:
    cluster = active(1)

    endings.fail(change(workflow, cluster).job, JobStatus.FAILED, "exit status 1")

    assert (fresh(cluster).status, fresh(cluster).held_by) == (Status.ACTIVE, None)


def test_a_job_may_only_begin_from_the_statuses_it_names() -> None:
    cluster = active(1)
    endings.succeed(change("stop_cluster", cluster).job)

    assert fresh(cluster).status == Status.STOPPED
    with pytest.raises(Unprocessable, match="STOPPED"):
        change("restart_cluster", cluster)
    endings.succeed(change("start_cluster", cluster).job)
    assert fresh(cluster).status == Status.ACTIVE


@pytest.fixture
def lock_of_restart(monkeypatch: pytest.MonkeyPatch) -> object:
    """Give the restart workflow another kind of lock."""

    def give(lock: Lock) -> None:
        monkeypatch.setitem(WORKFLOWS, "restart_cluster", replace(WORKFLOWS["restart_cluster"], lock=lock))

    return give


def test_a_preempting_job_takes_over_and_the_other_ends(lock_of_restart) -> None:  # type: ignore[no-untyped-def]
    cluster = active(2)
    stopping = change("stop_cluster", cluster, cluster.instance_ids[1])
    lock_of_restart(Lock.PREEMPTING)
    monkey = WORKFLOWS["restart_cluster"]
    WORKFLOWS["restart_cluster"] = replace(monkey, begins_from=frozenset({*monkey.begins_from, Status.STOPPING}))

    failover = change("restart_cluster", cluster, cluster.instance_ids[0])

    assert fresh(cluster).held_by == failover.job.job_id
    assert fresh_job(stopping.job).status == JobStatus.ABORTED
    assert [each.status for each in fresh(cluster).instances()] == [Status.RESTARTING, Status.ERROR]
    with pytest.raises(Permanent):
        endings.held(stopping.job)


def test_a_redriven_job_takes_its_lock_up_again() -> None:
    placed = ordered(1)
    endings.fail(placed.job, JobStatus.FAILED, "x")

    beginnings.retake(fresh_job(placed.job), redrive_count=1)

    assert fresh(placed.cluster).held_by == placed.job.job_id
    assert (fresh_job(placed.job).status, fresh_job(placed.job).redrives) == (JobStatus.RUNNING, 1)


def test_a_redriven_job_whose_cluster_was_changed_since_may_not() -> None:
    cluster = active(1)
    old = change("restart_cluster", cluster).job
    endings.fail(old, JobStatus.FAILED, "x")
    endings.succeed(change("restart_cluster", cluster).job)

    with pytest.raises(Permanent, match="cannot be redriven"):
        beginnings.retake(fresh_job(old), redrive_count=1)


def save_all(*records: Record) -> None:
    with transaction() as batch:
        for each in records:
            batch.save(each)


def test_a_transaction_is_whole_or_nothing() -> None:
    placed = ordered(1)
    stale = fresh(placed.cluster)
    fresh(placed.cluster).save()

    job = Job(job_id="new", project_id="p1", cluster_id="c", sort_key="s", workflow="w", requested_by="u")
    with pytest.raises(Stale):
        save_all(job, stale)

    assert Job.find("new") is None
    assert isinstance(stale, Cluster)


def test_removing_what_failed_does_not_make_a_broken_cluster_whole() -> None:
    placed = ordered(2)
    endings.fail(placed.job, JobStatus.FAILED, "no valid host")

    removal = change("remove_instance", placed.cluster, placed.cluster.instance_ids[1])
    endings.forget_instances(removal.job)

    cluster = fresh(placed.cluster)
    assert (cluster.status, cluster.message, len(cluster.members)) == (Status.ERROR, "no valid host", 1)


def test_a_failed_removal_leaves_a_broken_cluster_broken() -> None:
    cluster = active(2)
    endings.fail(change("restart_cluster", cluster, cluster.instance_ids[0]).job, JobStatus.FAILED, "disk full")

    endings.fail(change("remove_instance", cluster, cluster.instance_ids[1]).job, JobStatus.FAILED, "unreachable")

    assert fresh(cluster).status == Status.ERROR


def test_what_never_served_takes_no_part_in_a_restart() -> None:
    cluster = active(1)
    endings.fail(grown(cluster).job, JobStatus.FAILED, "no valid host")

    job = change("restart_cluster", cluster).job

    assert list(job.instance_ids) == cluster.instance_ids
