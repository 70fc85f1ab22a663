"""A server that does not come up: its console is kept with the job, and the job fails as it did without that."""

import pytest

from chalicelib import config
from chalicelib.errors import Permanent, ProviderError, Transient
from chalicelib.jobs import endings
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus, Status
from chalicelib.orders.placing import Placed
from chalicelib.providers.base import ServerStatus
from chalicelib.providers.memory import MemoryProvider
from chalicelib.steps.consoles import MOST_BYTES, keep_console, readable
from chalicelib.steps.entry import run_step
from tests.orders_placed import change, fresh, fresh_job, ordered
from tests.simulation.service import Simulation
from tests.steps.calls import event, first

pytestmark = pytest.mark.usefixtures("catalog")


def consoles(job: Job) -> dict[str, str]:
    return {each.name: each.text for each in fresh_job(job).consoles or []}


def test_of_a_server_in_error_the_console_is_kept_and_the_first_error_is_told(simulation: Simulation) -> None:
    simulation.cloud.comes_to = ServerStatus.ERROR
    placed = ordered(1)

    machine = simulation.carry_out(placed.job)

    job = fresh_job(placed.job)
    told = f"The cloud could not build the server of {first(placed).name}: it gives no reason."
    assert (job.status, job.message, fresh(placed.cluster).message) == (JobStatus.FAILED, told, told)
    assert (job.reached[0].step, machine.caught) == ("create_server", ["Permanent"])
    assert consoles(job) == {first(placed).name: "BUILD, then ERROR"}


def test_of_a_guest_that_never_lets_ssh_in_too(simulation: Simulation) -> None:
    simulation.guests.is_silent = lambda instance: True
    placed = ordered(2)

    machine = simulation.carry_out(placed.job)

    job = fresh_job(placed.job)
    assert (job.status, job.message) == (
        JobStatus.FAILED,
        f"Waited for in vain: {first(placed).address} does not answer.",
    )
    assert (job.reached[0].step, machine.caught) == ("await_ssh", ["NotReady"])
    assert machine.retried.count("AwaitSsh") == 60
    assert consoles(job) == {first(placed).name: "BUILD, then ACTIVE"}


@pytest.mark.parametrize("workflow", ["restart_cluster", "start_cluster", "reboot_instance"])
def test_of_a_server_that_does_not_come_back_too(simulation: Simulation, workflow: str) -> None:
    placed = ordered(1)
    simulation.carry_out(placed.job)
    simulation.guests.is_silent = lambda instance: True

    job = change(workflow, fresh(placed.cluster), *placed.cluster.instance_ids).job
    simulation.carry_out(job)

    assert (fresh_job(job).status, "does not answer" in str(fresh_job(job).message)) == (JobStatus.FAILED, True)
    assert list(consoles(job)) == [first(placed).name]


@pytest.mark.parametrize("error", [Transient("no answer"), ProviderError("refused"), RuntimeError("odd")])
def test_a_console_that_cannot_be_had_hides_nothing(simulation: Simulation, error: Exception) -> None:
    def refuse(point: str) -> None:
        if point == "before console":
            raise error

    simulation.trip = refuse
    simulation.cloud.comes_to = ServerStatus.ERROR
    placed = ordered(1)

    machine = simulation.carry_out(placed.job)

    assert "could not build" in str(fresh_job(placed.job).message)
    assert len(machine.caught) == 2
    assert consoles(placed.job) == {}


def test_where_there_is_no_server_nothing_is_kept(simulation: Simulation) -> None:
    simulation.cloud.images = frozenset()
    placed = ordered(1)

    simulation.carry_out(placed.job)

    assert "There is no image" in str(fresh_job(placed.job).message)
    assert consoles(placed.job) == {}


@pytest.fixture
def failing(simulation: Simulation) -> Placed:
    """A job whose first server is in ERROR."""
    simulation.cloud.comes_to = ServerStatus.ERROR
    placed = ordered(2)
    with pytest.raises(Permanent, match="could not build"):
        run_step(event(placed, "CreateServer"), "cloud")
    return placed


def test_kept_twice_is_kept_once_with_what_it_shows_then(simulation: Simulation, failing: Placed) -> None:
    run_step(event(failing, "KeepConsole"), "cloud")
    (server,) = simulation.cloud.servers.values()
    server.shown += [f"line {number}" for number in range(200)]

    run_step(event(failing, "KeepConsole"), "cloud")

    (text,) = consoles(failing.job).values()
    assert text.splitlines() == [f"line {number}" for number in range(100, 200)]
    assert len(text.splitlines()) == config.current().dtrove_console_lines


def test_each_instance_has_one_of_its_own(simulation: Simulation, failing: Placed) -> None:
    second = event(failing, "CreateServer")
    second["baton"]["instance_id"] = failing.cluster.instance_ids[1]
    with pytest.raises(Permanent):
        run_step(second, "cloud")

    for each in (event(failing, "KeepConsole"), second | {"step": "KeepConsole"}):
        run_step(each, "cloud")

    assert list(consoles(failing.job)) == [each.name for each in failing.cluster.instances()]


def test_a_job_that_has_ended_meanwhile_keeps_none(simulation: Simulation, failing: Placed) -> None:
    instance = first(failing)
    read_before = fresh_job(failing.job)
    endings.fail(fresh_job(failing.job), JobStatus.ABORTED, "x")

    with pytest.raises(Exception, match="changed meanwhile"):
        keep_console(read_before, failing.cluster, instance, MemoryProvider(simulation.cloud))
    with pytest.raises(Permanent, match="has ended"):
        run_step(event(failing, "KeepConsole"), "cloud")

    assert consoles(failing.job) == {}


FAILURE = {"Error": "Permanent", "Cause": '{"errorMessage": "disk full", "errorType": "Permanent"}'}


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (FAILURE, "disk full"),
        ({"Error": "Lambda.Unknown", "Cause": "out of memory"}, "out of memory"),
        ({"Error": "States.Timeout"}, "States.Timeout"),
    ],
)
def test_to_give_up_is_to_fail_with_what_was_caught(failure: dict[str, str], message: str) -> None:
    asked = event(ordered(1), "GiveUp")
    asked["baton"]["failure"] = failure

    with pytest.raises(Permanent, match=f"^{message}$"):
        run_step(asked, "records")


def test_a_redriven_execution_tries_the_instance_anew_once_for_each_redrive(simulation: Simulation) -> None:
    """Step Functions goes on at the state that failed, with the input that it had."""
    simulation.cloud.comes_to = ServerStatus.ERROR
    placed = ordered(1)
    simulation.carry_out(placed.job)
    redriven = event(placed, "GiveUp", RedriveCount=1)
    redriven["baton"]["failure"] = FAILURE

    baton = run_step(redriven, "records")
    (server,) = simulation.cloud.servers.values()
    simulation.cloud.turn(server, ServerStatus.ACTIVE, ServerStatus.BUILD)
    run_step(redriven | {"step": "CreateServer", "baton": baton}, "cloud")

    assert (fresh_job(placed.job).status, first(placed).status) == (JobStatus.RUNNING, Status.CREATING)
    with pytest.raises(Permanent, match="disk full"):
        run_step(redriven | {"baton": baton}, "records")


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        ("\x1b[0;32m  OK  \x1b[0m Started \x1b]0;title\x07ssh\r\n", "  OK   Started ssh"),
        ("[[0;32m  OK  [0m] of Nova", "[  OK  ] of Nova"),
        ("\n\n[    0.000000] Linux\tversion\x00\n\n", "[    0.000000] Linux\tversion"),
        ("", ""),
    ],
)
def test_what_a_console_shows_is_made_readable(shown: str, read: str) -> None:
    assert readable(shown) == read


def test_of_much_the_end_is_kept_from_a_line_s_beginning() -> None:
    lines = [f"{number} {'ä' * 50}" for number in range(1_000)]

    kept = readable("\n".join(lines))
    one_line = readable("ä" * 10_000)

    assert MOST_BYTES - 200 < len(kept.encode()) <= MOST_BYTES
    assert lines[-len(kept.splitlines()) :] == kept.splitlines()
    assert MOST_BYTES - 2 <= len(one_line.encode()) <= MOST_BYTES
