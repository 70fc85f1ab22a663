"""Jobs that run beside others: with a shared lock, or with none and in turn."""

from dataclasses import replace

import pytest

from chalicelib.errors import NotReady, Permanent, Unprocessable
from chalicelib.jobs import beginnings, endings
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.jobs.workflows import WORKFLOWS, Lock
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.record import Stale, transaction
from chalicelib.models.status import JobStatus, Status
from chalicelib.models.turns import Turns, step_out
from chalicelib.steps.entry import run_step
from tests.orders_placed import active, change, fresh, fresh_job, ordered
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a restart share its lock, as a backup does."""
    monkeypatch.setitem(WORKFLOWS, "restart_cluster", replace(WORKFLOWS["restart_cluster"], lock=Lock.SHARED))


@pytest.fixture
def lockless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a restart take no lock, as the making of a user does."""
    monkeypatch.setitem(WORKFLOWS, "restart_cluster", replace(WORKFLOWS["restart_cluster"], lock=Lock.NONE))


@pytest.fixture
def serving(simulation: Simulation) -> Cluster:
    """A cluster whose guest can be reached."""
    placed = ordered(1)
    simulation.carry_out(placed.job)
    return fresh(placed.cluster)


def act(job: Job, cluster: Cluster) -> None:
    """Have the job restart the datastore of the cluster's primary."""
    context = {"Id": execution_arn(job), "Name": job.job_id}
    baton = {"cluster_id": cluster.cluster_id, "primary_id": cluster.instance_ids[0]}
    run_step({"step": "RestartDatastore", "execution": context, "baton": baton}, "guest")


def waiting(cluster: Cluster) -> list[str]:
    return list(Turns.on(cluster.instance_ids[0]).waiting)


@pytest.mark.usefixtures("shared")
def test_shared_jobs_run_beside_each_other_and_keep_exclusive_ones_out() -> None:
    cluster = active(1)

    first, second = change("restart_cluster", cluster).job, change("restart_cluster", cluster).job

    assert fresh(cluster).shared_by == {first.job_id, second.job_id}
    with pytest.raises(Unprocessable):
        change("stop_cluster", cluster)
    endings.succeed(first)
    endings.fail(second, JobStatus.FAILED, "x")
    assert (fresh(cluster).shared_by, fresh(cluster).status) == (None, Status.ACTIVE)
    assert [fresh_job(each).status for each in (first, second)] == [JobStatus.SUCCEEDED, JobStatus.FAILED]
    change("stop_cluster", cluster)


@pytest.mark.usefixtures("shared")
def test_a_shared_job_does_not_begin_beside_an_exclusive_one() -> None:
    cluster = active(1)
    change("rotate_key", cluster)

    with pytest.raises(Unprocessable):
        change("restart_cluster", cluster)


def test_a_record_that_nobody_holds_is_saved_if_it_has_no_holder() -> None:
    """Asked for a holder that is NULL, DynamoDB finds none where the attribute is absent; moto does."""
    instance = Instance.get(active(1).instance_ids[0], consistent_read=True)
    asked: list[str] = []
    events = Instance._get_connection().connection.client.meta.events
    note = lambda params, **_: asked.append(params["ConditionExpression"])  # noqa: E731

    events.register("provide-client-params.dynamodb.PutItem", note)
    try:
        instance.save_held()
    finally:
        events.unregister("provide-client-params.dynamodb.PutItem", note)

    assert ["attribute_not_exists (#0)" in each for each in asked] == [True]


@pytest.mark.usefixtures("lockless")
def test_jobs_without_a_lock_act_one_after_the_other_as_they_were_asked_for(serving: Cluster) -> None:
    jobs = [change("restart_cluster", serving).job for _ in range(3)]

    for number, job in enumerate(jobs):
        for later in jobs[number + 1 :]:
            with pytest.raises(NotReady, match=f"Job {job.job_id} acts on"):
                act(later, serving)
        act(job, serving)
        endings.succeed(job)
        with pytest.raises(Permanent, match="has ended"):
            act(job, serving)

    assert [fresh_job(each).status for each in jobs] == [JobStatus.SUCCEEDED] * 3
    assert waiting(serving) == []


@pytest.mark.usefixtures("lockless")
def test_a_job_that_ends_before_its_turn_lets_the_others_close_up(serving: Cluster) -> None:
    first, second, third = (change("restart_cluster", serving).job for _ in range(3))

    endings.fail(second, JobStatus.ABORTED, "x")
    endings.fail(first, JobStatus.TIMED_OUT, "x")

    assert waiting(serving) == [third.job_id]
    act(third, serving)
    assert (fresh(serving).status, fresh(serving).held_by) == (Status.ACTIVE, None)


@pytest.mark.usefixtures("lockless")
def test_a_job_without_a_lock_and_one_with_it_do_not_disturb_each_other(serving: Cluster) -> None:
    job, exclusive = change("restart_cluster", serving).job, change("rotate_key", serving).job
    held = Instance.get(serving.instance_ids[0], consistent_read=True)

    act(job, serving)
    held.save_held()  # not stale
    endings.succeed(job)

    assert fresh(serving).held_by == exclusive.job_id
    endings.succeed(exclusive)
    assert fresh_job(job).reached[0].step is None


@pytest.mark.usefixtures("lockless")
def test_a_job_without_a_lock_ends_also_when_its_cluster_is_gone(simulation: Simulation) -> None:
    cluster = active(1)
    job = change("restart_cluster", cluster).job
    endings.forget_cluster(change("delete_cluster", cluster).job)

    with pytest.raises(Permanent, match="There is no instance"):
        act(job, cluster)
    endings.fail(job, JobStatus.FAILED, "x")

    assert waiting(cluster) == []


@pytest.mark.usefixtures("lockless")
def test_who_leaves_at_the_same_moment_as_another_looks_again() -> None:
    cluster = active(1)
    first, second = change("restart_cluster", cluster).job, change("restart_cluster", cluster).job

    def leave_while_the_first_leaves() -> None:
        with transaction() as batch:
            step_out(batch, cluster.instance_ids[0], second.job_id)
            endings.fail(first, JobStatus.FAILED, "x")

    with pytest.raises(Stale):
        leave_while_the_first_leaves()

    assert waiting(cluster) == [second.job_id]


@pytest.mark.parametrize("kind", ["shared", "lockless"])
def test_a_redriven_job_joins_again(kind: str, request: pytest.FixtureRequest, serving: Cluster) -> None:
    request.getfixturevalue(kind)
    job = change("restart_cluster", serving).job
    endings.fail(job, JobStatus.FAILED, "x")

    beginnings.retake(fresh_job(job), redrive_count=1)
    act(job, serving)
    endings.succeed(fresh_job(job))

    assert (fresh_job(job).status, fresh(serving).shared_by, waiting(serving)) == (JobStatus.SUCCEEDED, None, [])
