"""Every workflow from order to end, in one process."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.errors import Permanent
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.status import JobStatus, Status
from chalicelib.providers.base import ServerStatus
from chalicelib.steps import shelf
from tests.orders_placed import change, fresh, fresh_job, grown, ordered
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    simulation = Simulation(polls=2)
    simulation.install()
    yield simulation
    simulation.uninstall()


def created(simulation: Simulation, size: int = 3) -> Cluster:
    placed = ordered(size, volume_gib=1)
    simulation.carry_out(placed.job)
    return fresh(placed.cluster)


def test_a_cluster_comes_up(simulation: Simulation) -> None:
    cluster = created(simulation)

    assert (cluster.status, cluster.held_by) == (Status.ACTIVE, None)
    instances = cluster.instances()
    assert all(each.address and each.host_key and each.volume_device and each.joined_at for each in instances)
    insides = [simulation.guests.insides[each.server_id] for each in instances]
    assert ["dtrove-seed" in inside.started for inside in insides] == [False, True, True]


def test_a_cluster_goes_and_nothing_is_left(simulation: Simulation) -> None:
    cluster = created(simulation)

    job = change("delete_cluster", cluster).job
    simulation.carry_out(job)

    assert simulation.left() == []
    assert fresh_job(job).status == JobStatus.SUCCEEDED


def test_a_cluster_whose_creation_failed_can_be_deleted(simulation: Simulation) -> None:
    simulation.cloud.images = frozenset()
    placed = ordered(2)
    simulation.carry_out(placed.job)

    assert (fresh(placed.cluster).status, fresh(placed.cluster).message) == (
        Status.ERROR,
        fresh_job(placed.job).message,
    )
    assert "There is no image debian-12" in str(fresh(placed.cluster).message)
    simulation.carry_out(change("delete_cluster", placed.cluster).job)
    assert simulation.left() == []


def test_replicas_come_and_go(simulation: Simulation) -> None:
    cluster = created(simulation, 1)

    simulation.carry_out(grown(cluster, 2).job)
    cluster = fresh(cluster)
    assert [each.status for each in cluster.instances()] == [Status.ACTIVE] * 3

    simulation.carry_out(change("remove_instance", cluster, *cluster.instance_ids[1:]).job)
    assert len(fresh(cluster).members) == len(simulation.cloud.servers) == 1


@pytest.mark.parametrize(
    ("workflow", "status"),
    [("restart_cluster", Status.ACTIVE), ("stop_cluster", Status.STOPPED), ("start_cluster", Status.ACTIVE)],
)
def test_the_datastore_obeys(simulation: Simulation, workflow: str, status: Status) -> None:
    cluster = created(simulation, 2)

    job = change(workflow, cluster).job
    simulation.carry_out(job)

    unit = f"dtrove-{workflow.removesuffix('_cluster')}-{job.job_id}"
    assert fresh(cluster).status == status
    assert all(inside.started[-1] == unit for inside in simulation.guests.insides.values())


def rebooted(simulation: Simulation, cluster: Cluster) -> tuple[Job, list[str]]:
    """Reboot its second instance; return the job as it ended and what was done to the cloud."""
    effects: list[str] = []
    simulation.trip = lambda point: effects.append(point) if point.endswith(" server") else None
    job = change("reboot_instance", cluster, cluster.instance_ids[1]).job
    simulation.carry_out(job)
    return fresh_job(job), effects


def test_a_server_is_rebooted_once_and_its_datastore_answers_again(simulation: Simulation) -> None:
    cluster = created(simulation, 2)
    instance = cluster.instances()[1]
    instance.waiting_parameters = {"x"}
    instance.save()

    job, effects = rebooted(simulation, cluster)

    assert (job.status, effects) == (JobStatus.SUCCEEDED, ["before reboot server", "after reboot server"])
    first, second = fresh(cluster).instances()
    assert [each.status for each in (first, second)] == [Status.ACTIVE] * 2
    assert second.waiting_parameters is None
    assert simulation.guests.insides[str(second.server_id)].started[-1] == f"dtrove-restart-{job.job_id}"
    assert f"dtrove-restart-{job.job_id}" not in simulation.guests.insides[str(first.server_id)].started


def test_a_reboot_starts_what_is_off(simulation: Simulation) -> None:
    cluster = created(simulation, 2)
    server = simulation.cloud.servers[cluster.instance_ids[1]]
    simulation.cloud.turn(server, ServerStatus.SHUTOFF, ServerStatus.ACTIVE)
    server.polls_left = 0

    job, effects = rebooted(simulation, cluster)

    assert (job.status, effects) == (JobStatus.SUCCEEDED, ["before start server", "after start server"])


def test_a_reboot_of_what_is_gone_fails_and_says_so(simulation: Simulation) -> None:
    cluster = created(simulation, 2)
    del simulation.cloud.servers[cluster.instance_ids[1]]

    job, effects = rebooted(simulation, cluster)

    assert (job.status, "is gone" in str(job.message), effects) == (JobStatus.FAILED, True, [])


def test_a_key_is_rotated_guest_by_guest(simulation: Simulation) -> None:
    cluster = created(simulation, 2)
    (old,) = Key.scan()

    simulation.carry_out(change("rotate_key", cluster).job)

    (new,) = Key.scan()
    assert fresh(cluster).key_ids == [new.key_id] != [old.key_id]
    assert {each.key_id for each in fresh(cluster).instances()} == {new.key_id}
    trusted = {inside.files["/root/.ssh/authorized_keys"] for inside in simulation.guests.insides.values()}
    assert trusted == {new.public + "\n"}


def test_an_administrators_commands_run_once_and_their_output_is_kept(simulation: Simulation) -> None:
    cluster = created(simulation, 1)
    job = change("perform", cluster, cluster.instance_ids[0]).job
    job.title, job.commands = "look", ["uptime"]
    job.save()

    simulation.carry_out(job)

    (inside,) = simulation.guests.insides.values()
    assert inside.started.count(f"dtrove-perform-{job.job_id}") == 1
    assert fresh_job(job).output == f"output of dtrove-perform-{job.job_id}"


def test_a_failed_restart_names_the_guests_own_words(simulation: Simulation) -> None:
    cluster = created(simulation, 1)

    def fail(address: str, command: str) -> None:
        if "service restart" in command:
            raise Permanent("dtrove-restart failed: disk full")

    simulation.guests.fail = fail
    simulation.carry_out(change("restart_cluster", cluster).job)

    assert (fresh(cluster).status, "disk full" in str(fresh(cluster).message)) == (Status.ERROR, True)


def test_a_guest_that_lost_its_power_is_started_with_its_datastore(simulation: Simulation) -> None:
    cluster = created(simulation, 2)
    for server in simulation.cloud.servers.values():
        server.status = ServerStatus.SHUTOFF

    simulation.carry_out(change("restart_cluster", cluster).job)

    assert fresh(cluster).status == Status.ACTIVE
    assert {server.status for server in simulation.cloud.servers.values()} == {ServerStatus.ACTIVE}


@pytest.mark.parametrize(("name", "data"), [("odd/näme", {}), ("x@y", {}), ("list", []), ("text", "x"), ("none", None)])
def test_an_odd_name_or_input_by_hand_is_refused(simulation: Simulation, name: str, data: Any) -> None:
    job = Job(job_id=name, workflow="restart_cluster", cluster_id="")

    with pytest.raises(Permanent, match=r"must be a JSON object|letters, digits"):
        simulation.invoke("records", {"step": "OpenJob", "execution": execution_of(job), "baton": data})


def execution_of(job: Job) -> dict[str, str]:
    return {"Id": execution_arn(job), "Name": job.job_id}


CONSOLE = {
    "create_cluster": {
        "project_id": "p1",
        "cluster": {"name": "hand", "datastore": {"type": "redis", "version": "7.0"}, "size": 2, "flavorRef": "1"},
    }
}


def test_a_cluster_is_created_from_the_console(simulation: Simulation) -> None:
    job = Job(job_id="by-hand", workflow="create_cluster", cluster_id="", project_id="", sort_key="", requested_by="")

    simulation.carry_out(job, CONSOLE["create_cluster"])
    simulation.carry_out(job, CONSOLE["create_cluster"])

    (cluster,) = Cluster.scan()
    assert (cluster.name, cluster.status) == ("hand", Status.ACTIVE)
    assert Job.get("by-hand").requested_by == "console"


@pytest.mark.parametrize(
    "workflow", ["add_instance", "restart_cluster", "stop_cluster", "rotate_key", "delete_cluster"]
)
def test_the_console_needs_two_lines(simulation: Simulation, workflow: str) -> None:
    cluster = created(simulation, 1)
    job = Job(job_id=f"hand-{workflow}", workflow=workflow, cluster_id=cluster.cluster_id)

    simulation.carry_out(job, {"cluster_id": cluster.cluster_id})

    assert fresh_job(job).status == JobStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("workflow", "order", "reason"),
    [
        ("create_cluster", {"project_id": "p1", "cluster": {"name": "x"}}, "cluster['datastore']"),
        ("create_cluster", {"cluster": {}}, "project_id"),
        ("restart_cluster", {}, "cluster_id"),
        ("restart_cluster", {"cluster_id": "none"}, "no such cluster"),
        ("perform", {"cluster_id": "CLUSTER"}, "instance_id"),
        ("change_accounts", {"cluster_id": "CLUSTER", "users": []}, "history"),
        ("configure_instances", {"cluster_id": "CLUSTER", "configuration_id": "none"}, "none cannot be found"),
        ("remove_instance", {"cluster_id": "CLUSTER"}, "instance_id"),
        ("change_log", {"cluster_id": "CLUSTER"}, "instance_id"),
        ("change_log", {"cluster_id": "CLUSTER", "instance_id": "none"}, "none cannot be found"),
        ("change_log", {"instance_id": "PRIMARY", "log": "guest"}, "there are: server"),
        ("change_log", {"instance_id": "PRIMARY", "log": "server"}, "input['do']"),
        ("change_log", {"instance_id": "PRIMARY", "log": "server", "do": "print"}, "'print'"),
        ("change_log", {"instance_id": "PRIMARY", "log": "server", "do": "enable"}, "always on"),
        ("change_access", {"cluster_id": "CLUSTER"}, "instance_id"),
        ("change_access", {"cluster_id": "CLUSTER", "instance_id": "none"}, "input['access']"),
        (
            "change_access",
            {"cluster_id": "CLUSTER", "instance_id": "none", "access": {"is_public": True}},
            "none cannot",
        ),
        ("reboot_instance", {"cluster_id": "CLUSTER"}, "instance_id"),
    ],
)
def test_a_wrong_console_input_says_what_is_wrong(
    simulation: Simulation, workflow: str, order: dict[str, Any], reason: str
) -> None:
    cluster = created(simulation, 1)
    if order.get("cluster_id") == "CLUSTER":
        order = {**order, "cluster_id": cluster.cluster_id}
    if order.get("instance_id") == "PRIMARY":
        order = {**order, "instance_id": cluster.primary_id}
    job = Job(job_id="wrong", workflow=workflow, cluster_id="")

    simulation.carry_out(job, order)

    assert Job.find("wrong") is None
    assert reason in str(simulation.log[-1]["error"])
    assert fresh(cluster).held_by is None


def test_a_log_is_published_from_the_console(simulation: Simulation) -> None:
    cluster = created(simulation, 1)
    (inside,) = simulation.guests.insides.values()
    inside.logbook.write("/var/log/redis/dtrove/server.log", b"hello")
    job = Job(job_id="hand-log", workflow="change_log", cluster_id="")

    simulation.carry_out(job, {"instance_id": cluster.primary_id, "log": "server", "do": "discard publish"})

    assert (fresh_job(job).status, fresh_job(job).acts) == (JobStatus.SUCCEEDED, ["discard", "publish"])
    assert [each.size for each in shelf.parts_of(str(cluster.primary_id))] == [5]


def test_a_step_of_a_job_that_lost_its_lock_does_nothing(simulation: Simulation) -> None:
    from chalicelib.jobs import endings

    placed = ordered(1)
    endings.fail(placed.job, JobStatus.ABORTED, "x")

    simulation.carry_out(placed.job)

    assert simulation.cloud.owned() == []
    assert fresh(placed.cluster).status == Status.ERROR
