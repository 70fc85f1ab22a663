"""What every step has in common."""

from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from pynamodb.exceptions import PutError

from chalicelib.errors import BadRequest, CommandFailed, NotReady, Permanent, Transient
from chalicelib.jobs import endings
from chalicelib.models.job import Job
from chalicelib.models.record import Stale
from chalicelib.models.status import JobStatus
from chalicelib.providers.memory import MemoryProvider
from chalicelib.steps.cloud import orphans, refresh_flavors, sweep_cloud
from chalicelib.steps.entry import as_outcome, run_step, settle_execution, snake_case
from tests.orders_placed import active, change, fresh, fresh_job, ordered
from tests.simulation.service import Simulation
from tests.steps.calls import event, first

pytestmark = pytest.mark.usefixtures("catalog")


def test_a_step_is_noted_and_what_it_changed_is_saved(simulation: Simulation) -> None:
    placed = ordered(1)

    baton = run_step(event(placed, "CreateServer"), "cloud")

    assert baton == event(placed, "CreateServer")["baton"]
    instance = first(placed)
    assert (instance.step, instance.busy_by, instance.busy_until) == ("create_server", None, None)
    assert instance.address


def test_what_a_step_learned_is_saved_when_it_is_not_ready() -> None:
    simulation = Simulation(polls=1)
    simulation.install()
    placed = ordered(1)

    with pytest.raises(NotReady, match="BUILD"):
        run_step(event(placed, "CreateServer"), "cloud")

    assert first(placed).server_status == "BUILD"
    simulation.uninstall()


def test_a_step_runs_only_under_its_own_privilege(simulation: Simulation) -> None:
    with pytest.raises(Permanent, match="not a step of guest"):
        run_step(event(ordered(1), "CreateServer"), "guest")


def test_an_unknown_step_is_permanent(simulation: Simulation) -> None:
    with pytest.raises(Permanent, match="explode"):
        run_step(event(ordered(1), "Explode"), "cloud")


def test_what_fails_for_good_says_on_which_instance(simulation: Simulation) -> None:
    placed = ordered(1)
    run_step(event(placed, "CreateServer"), "cloud")

    def fail(address: str, command: str) -> None:
        raise CommandFailed("the disk is full", 1)

    simulation.guests.fail = fail
    with pytest.raises(Permanent, match=f"^{first(placed).name}: the disk is full$"):
        run_step(event(placed, "PrepareDatastore"), "guest")


def test_a_later_job_waits_for_the_step_of_one_that_died(simulation: Simulation) -> None:
    dead = ordered(1)
    instance = first(dead)
    instance.busy_by, instance.busy_until = dead.job.job_id, dead.cluster.created_at + timedelta(seconds=120)
    instance.save_held()
    endings.fail(fresh_job(dead.job), JobStatus.ABORTED, "x")
    deleting = change("delete_cluster", dead.cluster)
    with pytest.raises(NotReady, match="may still be acting"):
        run_step(event(deleting, "DeleteServer"), "cloud")
    simulation.pass_time(seconds=121)
    run_step(event(deleting, "DeleteServer"), "cloud")


def test_a_step_that_lost_its_lock_saves_nothing_and_leaves_no_note(simulation: Simulation) -> None:
    placed = ordered(1)
    ending = Job.get(placed.job.job_id)
    simulation.cloud.trip = lambda point: (
        endings.fail(ending, JobStatus.ABORTED, "x") if "after create" in point else None
    )

    with pytest.raises(Transient):
        run_step(event(placed, "CreateServer"), "cloud")

    instance = first(placed)
    assert (instance.status, instance.address, instance.busy_by, instance.busy_until) == ("ERROR", None, None, None)


def test_a_redriven_step_takes_its_lock_up_again(simulation: Simulation) -> None:
    placed = ordered(1)
    endings.fail(placed.job, JobStatus.FAILED, "x")
    with pytest.raises(Permanent, match="has ended"):
        run_step(event(placed, "CreateServer"), "cloud")

    run_step(event(placed, "CreateServer", RedriveCount=1), "cloud")

    assert fresh(placed.cluster).held_by == placed.job.job_id
    assert fresh_job(placed.job).status == JobStatus.RUNNING


def test_a_closing_step_that_succeeded_before_leaves_all_as_it_is(simulation: Simulation) -> None:
    placed = ordered(1)
    run_step(event(placed, "CloseJob"), "records")
    revision = fresh(placed.cluster).revision

    run_step(event(placed, "CloseJob"), "records")

    assert fresh(placed.cluster).revision == revision


def test_one_line_is_logged_a_step(simulation: Simulation) -> None:
    placed = ordered(1)

    run_step(event(placed, "CreateServer"), "cloud")

    (line,) = simulation.log
    assert (line["step"], line["job_id"], line["outcome"]) == ("create_server", placed.job.job_id, "ok")
    assert "PRIVATE" not in str(line)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret words"}}, "Decrypt")


OUTCOMES = [
    (NotReady("x"), NotReady, "x"),
    (Transient("x"), Transient, "x"),
    (CommandFailed("x", 3), Permanent, "x"),
    (BadRequest("x"), Permanent, "x"),
    (Stale("x"), Transient, "x"),
    (refusal("ThrottlingException"), Transient, "Decrypt: ThrottlingException"),
    (refusal("AccessDeniedException"), Permanent, "Decrypt: AccessDeniedException"),
    (PutError(cause=refusal("ProvisionedThroughputExceededException")), Transient, "Provisioned"),
    (PutError(cause=refusal("ConditionalCheckFailedException")), Transient, "ConditionalCheckFailed"),
    (PutError(cause=refusal("AccessDeniedException")), Permanent, "DynamoDB: AccessDeniedException"),
    (ConnectTimeoutError(endpoint_url="http://x"), Transient, "timeout"),
]


@pytest.mark.parametrize(("error", "kind", "words"), OUTCOMES, ids=[type(each[0]).__name__ for each in OUTCOMES])
def test_every_error_becomes_one_of_three(error: Exception, kind: type[Exception], words: str) -> None:
    ours = as_outcome(error)

    assert type(ours) is kind
    assert words in str(ours)
    assert "secret words" not in str(ours)


def test_an_unforeseen_error_tells_where_and_not_what() -> None:
    try:
        raise KeyError("a secret")
    except KeyError as error:
        ours = as_outcome(error)

    assert type(ours) is Permanent
    assert "test_step.py" in str(ours)
    assert "secret" not in str(ours)


@pytest.mark.parametrize(("state", "step"), [("OpenJob", "open_job"), ("AwaitSsh", "await_ssh")])
def test_a_state_is_its_step_in_camel_case(state: str, step: str) -> None:
    assert snake_case(state) == step


def test_an_event_of_an_unknown_or_ended_execution_is_ignored(simulation: Simulation) -> None:
    cluster = active(1)
    (job,) = Job.scan()

    assert settle_execution({"name": "never heard of"}) is None
    assert settle_execution({"name": job.job_id}) is None
    assert fresh(cluster).status == "ACTIVE"


def test_a_warming_call_does_nothing(simulation: Simulation) -> None:
    assert run_step({"warm": True}, "guest") == {}


def test_flavors_follow_the_cloud(simulation: Simulation) -> None:
    from chalicelib.models.flavor import Flavor

    Flavor(flavor_id="gone", name="gone", memory_mib=1, vcpus=1).add()

    refresh_flavors(MemoryProvider(simulation.cloud))

    assert [each.flavor_id for each in Flavor.all()] == ["1", "2", "3", "4"]


def test_what_belongs_to_nobody_is_reported_and_once_old_removed(simulation: Simulation) -> None:

    provider = MemoryProvider(simulation.cloud)
    placed = ordered(2, volume_gib=1)
    simulation.carry_out(placed.job)
    first(placed).delete(add_version_condition=False)

    reported = sweep_cloud(provider)
    simulation.pass_time(hours=2)
    removed = sweep_cloud(provider)

    assert len(reported) == 2
    assert all(line.endswith("belongs to nobody") for line in reported)
    assert all(line.endswith("removed") for line in removed)
    assert sweep_cloud(provider) == []
    assert len(simulation.cloud.servers) == len(simulation.cloud.volumes) == 1


def test_many_old_orphans_look_like_lost_records_and_are_left_alone(simulation: Simulation) -> None:
    provider = MemoryProvider(simulation.cloud)
    for _ in range(2):
        placed = ordered(3)
        simulation.carry_out(placed.job)
        for each in fresh(placed.cluster).instances():
            each.delete(add_version_condition=False)
    simulation.pass_time(hours=2)

    lines = sweep_cloud(provider)

    assert len(lines) == len(simulation.cloud.servers) == 6
    assert all(line.endswith("belongs to nobody") for line in lines)


def test_another_deployment_s_resources_are_not_ours_to_judge(simulation: Simulation) -> None:
    placed = ordered(1)
    simulation.carry_out(placed.job)
    first(placed).delete(add_version_condition=False)
    (server,) = simulation.cloud.servers.values()
    server.owned = replace(server.owned, deployment="theirs")
    simulation.pass_time(hours=2)

    assert sweep_cloud(MemoryProvider(simulation.cloud)) == []
    assert len(simulation.cloud.servers) == 1


def test_what_is_left_of_a_try_that_came_second_belongs_to_nobody(simulation: Simulation) -> None:
    placed = ordered(1, volume_gib=1)
    simulation.carry_out(placed.job)
    first_ones = MemoryProvider(simulation.cloud).owned()
    second_ones = [replace(each, resource_id=f"second {each.kind}") for each in first_ones]
    ports = [replace(first_ones[0], kind="port", resource_id=name, is_idle=name == "idle") for name in ("used", "idle")]

    found = [each.resource_id for each in orphans([*first_ones, *second_ones, *ports])]

    assert found == ["second server", "second volume", "idle"]


def test_an_address_whose_cluster_is_gone_belongs_to_nobody(simulation: Simulation) -> None:
    provider = MemoryProvider(simulation.cloud)
    provider.ensure_address("gone")

    assert [line.split()[0] for line in sweep_cloud(provider)] == ["address"]
