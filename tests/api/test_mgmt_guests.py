"""What administrators ask of an instance's server and of its past."""

from typing import Any

import pytest

from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from tests.api.client import ApiCaller
from tests.api.served import created
from tests.ledger import Ledger
from tests.simulation.service import Simulation

member, admin = ApiCaller(), ApiCaller("admin", "admin")
ASKED = ("hwinfo", "diagnostics", "rpc_ping")


def test_hardware_and_process_are_told(instance_id: str) -> None:
    path = f"/mgmt/instances/{instance_id}"

    assert admin.get(f"{path}/hwinfo").body == {"hwinfo": {"mem_total": 524288, "num_cpus": 2}}
    diagnostics = admin.get(f"{path}/diagnostics").body["diagnostics"]
    assert (diagnostics["version"], diagnostics["threads"], diagnostics["vmRss"]) == ("7.0.15", 5, 10000)
    assert set(diagnostics) == {"version", "threads", "fdSize", "vmSize", "vmPeak", "vmRss", "vmHwm"}
    answer = admin.get(f"{path}/rpc_ping")
    assert (answer.status, answer.body) == (204, None)


def test_what_does_not_serve_is_asked_all_the_same(instance_id: str, simulation: Simulation) -> None:
    answer = member.post(f"/instances/{instance_id}/action", {"stop": {}})
    simulation.carry_out(Job.get(answer.headers["X-Dtrove-Job-Id"]))

    assert admin.get(f"/mgmt/instances/{instance_id}/rpc_ping").status == 204


@pytest.mark.parametrize("asked", ASKED)
def test_a_guest_that_does_not_answer_is_a_503(instance_id: str, simulation: Simulation, asked: str) -> None:
    simulation.cloud.servers.clear()

    assert list(admin.get(f"/mgmt/instances/{instance_id}/{asked}").body) == ["serviceUnavailable"]


@pytest.mark.parametrize("asked", ASKED)
def test_what_has_no_server_yet_is_a_503(ledger: Ledger, asked: str) -> None:
    order = {"instance": {"name": "db", "flavorRef": 1, "datastore": {"type": "ledger"}}}
    instance_id = member.post("/instances", order).body["instance"]["id"]

    answer = admin.get(f"/mgmt/instances/{instance_id}/{asked}")

    assert (answer.status, "no server yet" in answer.body["serviceUnavailable"]["message"]) == (503, True)


def test_there_is_no_agent_to_upgrade(instance_id: str) -> None:
    upgrade = {"upgrade": {"instance_version": "v1", "location": "http://x", "metadata": {}}}

    answer = admin.post(f"/mgmt/instances/{instance_id}/upgrade", upgrade)

    assert (answer.status, "no guest agent" in answer.body["notImplemented"]["message"]) == (501, True)
    assert admin.post("/mgmt/instances/none/upgrade", upgrade).status == 404


def history(instance_id: str) -> Any:
    return admin.get(f"/mgmt/instances/{instance_id}/root").body["root_history"]


def test_who_let_root_in_is_kept(instance_id: str, simulation: Simulation) -> None:
    born = history(instance_id)
    assert (born["id"], born["user"]) == (instance_id, "member")
    assert born["enabled"] == admin.get(f"/instances/{instance_id}").body["instance"]["created"]
    simulation.pass_time(hours=1)

    disabled = member.delete(f"/instances/{instance_id}/root")
    simulation.carry_out(Job.get(disabled.headers["X-Dtrove-Job-Id"]))
    assert history(instance_id) == born
    enabled = admin.send("POST", f"/instances/{instance_id}/root")
    assert history(instance_id) == born
    simulation.carry_out(Job.get(enabled.headers["X-Dtrove-Job-Id"]))

    assert (history(instance_id)["user"], history(instance_id)["enabled"] > born["enabled"]) == ("admin", True)
    shown = admin.get(f"/mgmt/instances/{instance_id}").body["instance"]
    assert (shown["root_enabled"], shown["root_enabled_by"]) == (history(instance_id)["enabled"], "admin")


def test_a_job_that_fails_lets_nobody_in(instance_id: str, simulation: Simulation) -> None:
    born = history(instance_id)
    simulation.pass_time(hours=1)
    enabled = admin.send("POST", f"/instances/{instance_id}/root")
    simulation.cloud.servers.clear()

    simulation.carry_out(Job.get(enabled.headers["X-Dtrove-Job-Id"]))

    assert history(instance_id) == born


def test_a_cluster_from_before_that_was_kept_was_never_opened_for_root(instance_id: str) -> None:
    cluster = Cluster.get(Instance.get(instance_id).cluster_id)
    cluster.root_enabled_at = cluster.root_enabled_by = None
    cluster.save()

    assert history(instance_id) == {"id": instance_id, "enabled": "Never", "user": "Nobody"}
    assert "root_enabled" not in admin.get(f"/mgmt/instances/{instance_id}").body["instance"]


def test_an_administrator_sees_the_volume_and_the_datastore_s_state(simulation: Simulation, ledger: Ledger) -> None:
    instance_id, bare_id = created(simulation, volume={"size": 2}), created(simulation)

    shown = admin.get(f"/mgmt/instances/{instance_id}?deleted=False").body["instance"]

    record = Instance.get(instance_id)
    attached = [{"server_id": record.server_id, "device": record.volume_device}]
    assert shown["volume"] == {"size": 2, "id": record.volume_id, "attachments": attached}
    assert shown["guest_status"] == {"state_description": "healthy"}
    assert admin.get(f"/mgmt/instances/{bare_id}").body["instance"]["volume"] is None


def test_of_the_deleted_nothing_is_kept(instance_id: str) -> None:
    assert admin.get("/mgmt/instances?deleted=True").body == {"instances": []}
    assert admin.get("/mgmt/clusters?deleted=true").body == {"clusters": []}
    assert admin.get(f"/mgmt/instances/{instance_id}?deleted=true").status == 404
    assert len(admin.get("/mgmt/instances?deleted=False").body["instances"]) == 1


def test_parameters_are_the_manager_s_own(ledger: Ledger) -> None:
    version_id = member.get("/datastores/ledger/versions/1").body["version"]["id"]
    path = f"/mgmt/datastores/versions/{version_id}/parameters"
    bounds = {"min_size": 1, "max_size": 100}
    most = {"name": "most", "datastore_version_id": version_id, "restart_required": False, "type": "integer", **bounds}

    assert admin.get(path).body["configuration-parameters"][0] == most
    assert admin.get(f"{path}/most").body == most
    assert admin.get(f"{path}/none").status == 404
    new = {"configuration-parameter": {"name": "x", "restart_required": 0, "data_type": "string"}}
    for method, at in (("POST", path), ("PUT", f"{path}/most"), ("DELETE", f"{path}/most")):
        assert list(admin.send(method, at, new).body) == ["notImplemented"]
    assert admin.get("/mgmt/datastores/versions/none/parameters").status == 404


def test_a_datastore_goes_with_its_last_version(ledger: Ledger) -> None:
    shown = admin.get("/datastores/ledger").body["datastore"]
    assert member.delete("/datastores/ledger").status == 401

    refused = admin.delete("/datastores/ledger")
    assert (refused.status, "has versions: 1. " in refused.body["badRequest"]["message"]) == (400, True)
    for version in shown["versions"]:
        assert admin.delete(f"/mgmt/datastore-versions/{version['id']}").status == 202
    assert admin.delete(f"/datastores/{shown['id']}").status == 202
    assert admin.delete("/datastores/ledger").status == 202
    assert admin.get("/datastores/ledger").status == 404
    assert admin.delete("/datastores/none").status == 404
