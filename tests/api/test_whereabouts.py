"""Where an instance shall be, and who may reach it: what may be asked, what is kept of it, how it is shown."""

from typing import Any

import pytest

from chalicelib.jobs import endings
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.models.volume_type import VolumeType
from chalicelib.orders.whereabouts import MOST_CIDRS
from chalicelib.providers.memory import MemoryProvider
from chalicelib.providers.memory_cloud import NETWORK
from chalicelib.steps.cloud import refresh_volume_types
from tests.api.client import Answer, ApiCaller
from tests.api.executions import executions
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")
member, reader, other = ApiCaller(), ApiCaller("reader"), ApiCaller("other", "p2")

NET, SUBNET = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
REDIS = {"type": "redis", "version": "7.0"}
FIXED = {"network_id": NETWORK.network_id, "subnet_id": NETWORK.subnet_id, "ip_address": "192.0.2.77"}
CIDRS = ["10.1.2.3/24", "203.0.113.7"]  # a network by a host of it, and a host


def instance_order(**asked: Any) -> dict[str, Any]:
    return {"instance": {"name": "db1", "flavorRef": 1, "datastore": REDIS, **asked}}


def cluster_order(*members: dict[str, Any], **asked: Any) -> dict[str, Any]:
    return {"cluster": {"name": "c1", "datastore": REDIS, "instances": list(members), **asked}}


def said(answer: Answer) -> str:
    return str(next(iter(answer.body.values()))["message"])


def created(**asked: Any) -> str:
    """An instance whose job has ended well, though nothing was done."""
    instance = member.post("/instances", instance_order(**asked)).body["instance"]
    endings.succeed(Job.get(instance["job_id"]))
    return str(instance["id"])


def served(simulation: Simulation, **asked: Any) -> str:
    """An instance whose job was carried out."""
    instance = member.post("/instances", instance_order(**asked)).body["instance"]
    simulation.carry_out(Job.get(instance["job_id"]))
    return str(instance["id"])


def shown(instance_id: str) -> Any:
    return member.get(f"/instances/{instance_id}").body["instance"]


NIC = "instance['nics'][0]"
BAD: list[tuple[dict[str, Any], str]] = [
    ({"nics": {"network_id": NET}}, "instance['nics'] must be a list"),
    ({"nics": [NET]}, f"{NIC} must be an object"),
    ({"nics": [{"network_id": NET}] * 2}, "instance['nics'] is too long"),
    ({"nics": [{}]}, f"{NIC}['network_id'] is a required property"),
    ({"nics": [{"network_id": "x"}]}, f"{NIC}['network_id'] is not a UUID"),
    ({"nics": [{"net-id": 7}]}, f"{NIC}['net-id'] must be a non-empty string"),
    ({"nics": [{"subnet_id": "x"}]}, f"{NIC}['subnet_id'] is not a UUID"),
    ({"nics": [{"port_id": NET, "network_id": NET}]}, f"{NIC}['port_id'] is not known"),
    ({"nics": [{"network_id": NET, "ip_address": "10.0.0.1"}]}, f"{NIC}['subnet_id'] is a required property beside"),
    ({"nics": [{"ip_address": "10.0.0.1"}]}, f"{NIC}['network_id'] is a required property"),
    ({"nics": [{"subnet_id": SUBNET, "ip_address": "10.0.0.256"}]}, f"{NIC}['ip_address'] is not an IPv4 address"),
    ({"nics": [{"subnet_id": SUBNET, "ip_address": "::1"}]}, f"{NIC}['ip_address'] is not an IPv4 address"),
    ({"locality": "nearby"}, "instance['locality'] is not one of affinity, anti-affinity, soft-affinity, soft-anti-"),
    ({"locality": ["affinity"]}, "instance['locality'] must be a non-empty string"),
    ({"availability_zone": 7}, "instance['availability_zone'] must be a non-empty string"),
    ({"availability_zone": "z" * 256}, "instance['availability_zone'] is too long"),
    ({"region_name": "Elsewhere"}, "instance['region_name'] must be RegionOne"),
    ({"access": []}, "instance['access'] must be an object"),
    ({"access": {"is_public": "yes"}}, "instance['access']['is_public'] must be true or false"),
    ({"access": {"public": True}}, "instance['access']['public'] is not known"),
    ({"access": {"allowed_cidrs": "10.0.0.0/8"}}, "instance['access']['allowed_cidrs'] must be a list"),
    ({"access": {"allowed_cidrs": [7]}}, "instance['access']['allowed_cidrs'] must be a list"),
    ({"access": {"allowed_cidrs": ["10.0.0.0/33"]}}, "holds '10.0.0.0/33', which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["10.0.0"]}}, "which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["010.0.0.1"]}}, "which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["10.0.0.0/255.0.0.0"]}}, "which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["0.0.0.0/0 tcp"]}}, "which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["::/0"]}}, "which is not an IPv4 network"),
    ({"access": {"allowed_cidrs": ["10.0.0.0/8"] * 2}}, "has non-unique elements"),
    ({"access": {"allowed_cidrs": [f"10.0.{n}.0/24" for n in range(MOST_CIDRS + 1)]}}, f"at most {MOST_CIDRS}"),
    ({"volume": {"size": 1, "type": "golden"}}, "volume['type']: Resource golden cannot be found"),
    ({"volume": {"size": 1, "type": 7}}, "instance['volume']['type'] must be a non-empty string"),
    ({"modules": [{"id": NET}]}, "instance['modules'] is not offered yet"),
]


@pytest.mark.parametrize(("asked", "named"), BAD, ids=[str(each[0])[:60] for each in BAD])
def test_a_bad_wish_is_refused_by_its_field_and_nothing_is_written(asked: Any, named: str) -> None:
    answer = member.post("/instances", instance_order(**asked))

    assert (answer.status, named in said(answer)) == (400, True), answer.body
    assert (list(Cluster.scan()), list(Job.scan()), executions()) == ([], [], [])


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (cluster_order({"flavorRef": 1, "nics": [{}]}), "cluster['instances'][0]['nics'][0]['network_id']"),
        (cluster_order({"flavorRef": 1, "region": "Elsewhere"}), "cluster['instances'][0]['region'] must be RegionOne"),
        (cluster_order({"flavorRef": 1}, locality="far"), "cluster['locality'] is not one of"),
        (cluster_order(*[{"flavorRef": 1, "nics": [FIXED]}] * 2), "cluster['instances'] gives two instances one addr"),
        ({"cluster": {"name": "c", "datastore": REDIS, "size": 2, "flavorRef": 1, "nics": [FIXED]}}, "one address"),
    ],
)
def test_a_bad_wish_for_a_cluster_is_refused_by_its_field(asked: Any, named: str) -> None:
    answer = member.post("/clusters", asked)

    assert (answer.status, named in said(answer)) == (400, True), answer.body
    assert list(Cluster.scan()) == []


@pytest.mark.parametrize(
    "unasked",
    [
        {"access": {"is_public": False}},
        {"access": {}, "nics": [], "modules": [], "locality": None, "region_name": None, "availability_zone": None},
        {"region_name": "RegionOne", "volume": {"size": 1, "type": None}},
    ],
)
def test_what_clients_send_unasked_asks_for_nothing(unasked: Any) -> None:
    instance = shown(created(**unasked))

    assert instance["access"] == {}
    assert {"locality", "addresses", "ip"} & set(instance) == set()


def test_what_was_asked_for_is_had_and_shown(simulation: Simulation) -> None:
    refresh_volume_types(MemoryProvider(simulation.cloud))
    asked = {
        "nics": [{"net-id": FIXED["network_id"].upper(), "subnet_id": FIXED["subnet_id"], "ip_address": "192.0.2.77"}],
        "availability_zone": "nova",
        "locality": "soft-anti-affinity",
        "access": {"is_public": True, "allowed_cidrs": CIDRS},
        "volume": {"size": 1, "type": "fast"},
    }

    instance = shown(served(simulation, **asked))

    assert instance["ip"] == ["192.0.2.77"]
    assert instance["addresses"] == [
        {"address": "192.0.2.77", "type": "private", "network": NETWORK.network_id},
        {"address": "198.51.100.1", "type": "public"},
    ]
    assert instance["access"] == {"is_public": True, "allowed_cidrs": CIDRS}
    assert (instance["locality"], instance["region"]) == ("soft-anti-affinity", "RegionOne")
    (volume,), (server,) = simulation.cloud.volumes.values(), simulation.cloud.servers.values()
    assert (volume.volume_type, server.access.port, server.access.allowed_cidrs) == ("fast", 6379, tuple(CIDRS))
    (listed,) = member.get("/instances").body["instances"]
    assert ("locality" in listed, listed["access"], listed["addresses"]) == (
        False,
        instance["access"],
        instance["addresses"],
    )


def test_an_instance_of_which_nothing_was_asked_shows_its_network_and_that_it_is_not_public(
    simulation: Simulation,
) -> None:
    instance = shown(served(simulation))

    assert instance["access"] == {"is_public": False}
    assert instance["addresses"] == [{"address": "192.0.2.1", "type": "private", "network": NETWORK.network_id}]


def test_a_cluster_s_members_each_have_what_was_asked_for_them(simulation: Simulation) -> None:
    one = {"flavorRef": 1, "nics": [FIXED], "access": {"allowed_cidrs": CIDRS}}
    body = cluster_order(one, {"flavorRef": 1, "availability_zone": "nova"}, locality="affinity")
    cluster = member.post("/clusters", body).body["cluster"]
    simulation.carry_out(Job.get(cluster["job_id"]))

    first, second = member.get(f"/clusters/{cluster['id']}").body["cluster"]["instances"]
    assert cluster["locality"] == "affinity"
    assert (first["ip"], first["addresses"][0]["network"]) == (["192.0.2.77"], NETWORK.network_id)
    assert second["ip"] != first["ip"]
    members = [shown(each["id"]) for each in (first, second)]
    assert [each["locality"] for each in members] == ["affinity"] * 2
    assert [each["access"].get("allowed_cidrs") for each in members] == [CIDRS, None]


def test_what_joins_later_is_let_alone_by_those_its_primary_is(simulation: Simulation) -> None:
    body = cluster_order({"flavorRef": 1, "access": {"allowed_cidrs": CIDRS}}, locality="soft-affinity")
    cluster = member.post("/clusters", body).body["cluster"]
    simulation.carry_out(Job.get(cluster["job_id"]))
    primary = Instance.get(Cluster.get(cluster["id"]).primary_id)
    assert (primary.network_id, primary.subnet_id) == (NETWORK.network_id, NETWORK.subnet_id)
    grow = [{"flavorRef": 1, "nics": [FIXED]}, {"flavorRef": 1, "access": {"allowed_cidrs": []}}]

    grown = member.post(f"/clusters/{cluster['id']}", {"grow": grow}).body
    simulation.carry_out(Job.get(grown["job"]["id"]))

    _, like_it, open_one = Cluster.get(cluster["id"]).instances()
    assert (like_it.allowed_cidrs, like_it.address, like_it.locality) == (CIDRS, "192.0.2.77", "soft-affinity")
    assert open_one.allowed_cidrs is None
    placed = member.post(f"/clusters/{cluster['id']}", {"grow": [{"flavorRef": 1}]}).body["cluster"]["instances"][-1]
    assert Instance.get(placed["id"]).network_id == NETWORK.network_id  # in its primary's, before it has a server
    assert [each.access.allowed_cidrs for each in simulation.cloud.servers.values()] == [
        tuple(CIDRS),
        tuple(CIDRS),
        None,
    ]


def test_replicas_are_in_their_source_s_network_and_let_alone_by_those_it_is(simulation: Simulation) -> None:
    source_id = served(simulation, access={"allowed_cidrs": CIDRS}, locality="affinity", nics=[FIXED])
    order = {"name": "copy", "replica_of": source_id, "access": {"is_public": False}}
    copy = member.post("/instances", {"instance": order}).body["instance"]
    simulation.carry_out(Job.get(copy["job_id"]))

    replica = Instance.get(copy["id"])
    assert (replica.network_id, replica.subnet_id) == (NETWORK.network_id, NETWORK.subnet_id)
    assert (replica.allowed_cidrs, replica.locality, replica.ip_address) == (CIDRS, "affinity", None)
    assert shown(source_id)["ip"] == ["192.0.2.77"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"locality": "affinity"}, "instance['locality'] cannot be given beside replica_of"),
        ({"nics": [FIXED]}, "instance['nics'][0]['ip_address'] cannot be given beside replica_of"),
        ({"nics": [{}]}, "instance['nics'][0]['network_id']"),
        ({"region_name": "Elsewhere"}, "region_name"),
        ({"access": {"allowed_cidrs": ["x"]}}, "allowed_cidrs"),
    ],
)
def test_a_replica_s_order_says_nothing_of_it_that_its_source_decides(more: Any, named: str) -> None:
    answer = member.post("/instances", {"instance": {"name": "copy", "replica_of": created(), **more}})

    assert (answer.status, named in said(answer)) == (400, True), answer.body


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"nics": [{"network_id": NET}]}, f"Network {NET} could not be found"),
        ({"nics": [{"subnet_id": SUBNET}]}, f"Subnet {SUBNET} could not be found"),
        ({"nics": [{**FIXED, "ip_address": "10.9.9.9"}]}, "10.9.9.9 is not a valid IP for subnet"),
        ({"availability_zone": "mars"}, "availability zone mars is not available"),
        ({"access": {"is_public": True}}, "no public addresses"),
    ],
)
def test_what_the_cloud_refuses_is_a_fault_with_its_reason_and_nothing_stays(
    simulation: Simulation, asked: Any, reason: str
) -> None:
    simulation.cloud.has_public_addresses = False

    instance = shown(served(simulation, **asked))

    assert (instance["status"], reason in instance["fault"]["message"]) == ("ERROR", True), instance
    assert simulation.cloud.owned() == []
    assert member.delete(f"/instances/{instance['id']}").status == 202


def test_an_address_that_is_taken_fails_the_job_and_leaves_its_owner_alone(simulation: Simulation) -> None:
    owner = served(simulation, nics=[FIXED])

    late = shown(served(simulation, nics=[FIXED]))

    assert "192.0.2.77 is already in use" in late["fault"]["message"]
    assert shown(owner)["status"] == "ACTIVE"
    assert set(simulation.cloud.servers) == {owner}


def test_a_cluster_kept_apart_needs_as_many_hosts(simulation: Simulation) -> None:
    body = cluster_order({"flavorRef": 1}, {"flavorRef": 1}, locality="anti-affinity")
    cluster = member.post("/clusters", body).body["cluster"]
    simulation.carry_out(Job.get(cluster["job_id"]))

    failed = member.get(f"/clusters/{cluster['id']}").body["cluster"]
    assert (failed["status"], "No valid host was found" in failed["fault"]["message"]) == ("ERROR", True)
    member.delete(f"/clusters/{cluster['id']}")
    simulation.carry_out(Job.get(executions()[-1][1]))
    assert simulation.left() == []


def changed(instance_id: str, access: Any) -> Answer:
    return member.send("PUT", f"/instances/{instance_id}", {"instance": {"access": access}})


def carry_out_last(simulation: Simulation) -> Job:
    workflow, job_id, _ = executions()[-1]
    assert workflow == "change_access"
    simulation.carry_out(Job.get(job_id))
    return Job.get(job_id)


def test_access_is_changed_by_a_job_and_what_is_not_said_stays(simulation: Simulation) -> None:
    instance_id = served(simulation, access={"allowed_cidrs": CIDRS})
    (server,) = simulation.cloud.servers.values()

    answer = changed(instance_id, {"is_public": True})
    assert (answer.status, answer.body, len(answer.headers["X-Dtrove-Job-Id"])) == (202, None, 36)
    assert shown(instance_id)["status"] == "ACTIVE"
    carry_out_last(simulation)
    assert shown(instance_id)["access"] == {"is_public": True, "allowed_cidrs": CIDRS}
    assert [each["type"] for each in shown(instance_id)["addresses"]] == ["private", "public"]

    changed(instance_id, {"allowed_cidrs": ["10.0.0.0/8"]})
    carry_out_last(simulation)
    assert shown(instance_id)["access"] == {"is_public": True, "allowed_cidrs": ["10.0.0.0/8"]}
    assert (server.access.port, server.access.allowed_cidrs, server.access.is_public) == (6379, ("10.0.0.0/8",), True)

    changed(instance_id, {"is_public": False, "allowed_cidrs": []})
    carry_out_last(simulation)
    assert shown(instance_id)["access"] == {"is_public": False}
    assert [each["type"] for each in shown(instance_id)["addresses"]] == ["private"]
    assert server.access.allowed_cidrs is None


def test_a_change_that_the_cloud_refuses_changes_nothing(simulation: Simulation) -> None:
    simulation.cloud.has_public_addresses = False
    instance_id = served(simulation)

    changed(instance_id, {"is_public": True, "allowed_cidrs": CIDRS})
    job = carry_out_last(simulation)

    assert (job.status, "no public addresses" in str(job.message)) == (JobStatus.FAILED, True)
    instance = shown(instance_id)
    assert (instance["status"], instance["access"]) == ("ACTIVE", {"is_public": False})


def test_what_is_stopped_may_be_opened_and_what_is_busy_or_broken_may_not(simulation: Simulation) -> None:
    building = member.post("/instances", instance_order()).body["instance"]["id"]
    broken, stopped = served(simulation, availability_zone="mars"), served(simulation)
    assert member.post(f"/instances/{stopped}/action", {"stop": {}}).status == 202
    simulation.carry_out(Job.get(executions()[-1][1]))

    assert changed(building, {"is_public": True}).status == 422
    assert changed(broken, {"is_public": True}).status == 422
    assert changed(stopped, {"is_public": True}).status == 202
    assert changed(stopped, {"is_public": False}).status == 422
    carry_out_last(simulation)
    assert shown(stopped)["operating_status"] == "SHUTDOWN"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"access": {}}, "instance['access'] must give is_public or allowed_cidrs"),
        ({"access": None}, "instance['access'] must give is_public or allowed_cidrs"),
        ({"access": {"is_public": 3}}, "instance['access']['is_public']"),
        ({"access": {"allowed_cidrs": ["10.0.0.1/"]}}, "instance['access']['allowed_cidrs']"),
        ({"access": {"is_public": True}, "configuration": None}, "only one of configuration, access"),
    ],
)
def test_a_bad_change_is_refused_and_nothing_is_started(body: Any, named: str) -> None:
    instance_id = created()

    answer = member.send("PUT", f"/instances/{instance_id}", {"instance": {"name": "new", **body}})

    assert (answer.status, named in said(answer)) == (400, True), answer.body
    assert len(executions()) == 1
    assert shown(instance_id)["name"] == "db1"


def test_nobody_else_changes_it(simulation: Simulation) -> None:
    instance_id = served(simulation)
    body = {"instance": {"access": {"is_public": True}}}

    assert reader.send("PUT", f"/instances/{instance_id}", body).status == 403
    assert other.send("PUT", f"/instances/{instance_id}", body).status == 404
    assert len(executions()) == 1


def test_the_console_changes_it_too(simulation: Simulation) -> None:
    instance_id = served(simulation)
    job = Job(job_id="by-hand", workflow="change_access", cluster_id="")

    for _ in range(2):
        simulation.carry_out(job, {"instance_id": instance_id, "access": {"allowed_cidrs": CIDRS}})

    assert (Job.get("by-hand").status, Job.get("by-hand").requested_by) == (JobStatus.SUCCEEDED, "console")
    assert shown(instance_id)["access"] == {"is_public": False, "allowed_cidrs": CIDRS}


def test_volume_types_are_the_cloud_s(simulation: Simulation) -> None:
    VolumeType(volume_type_id="9", name="gone").save()

    for _ in range(2):
        assert refresh_volume_types(MemoryProvider(simulation.cloud)) == 2

    listed = member.get("/datastores/redis/versions/7.0/volume-types").body["volume_types"]
    assert listed == [
        {"id": "2", "name": "fast", "description": "on flash", "is_public": True},
        {"id": "1", "name": "standard", "description": None, "is_public": True},
    ]
    assert [each["name"] for each in member.get("/flavors").body["flavors"]] == ["db.tiny", "db.small"]
