"""What the cloud refuses or cannot do: the cluster ends in ERROR with the cloud's own reason, and leaves no trace."""

from io import BytesIO
from typing import Any

import pytest

from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.status import JobStatus, Status
from tests.openstack.faults.operators import disabled, quota, set_volume_status
from tests.openstack.faults.outages import of
from tests.openstack.faults.proxy import Answer, PassOn, Request
from tests.openstack.faults.stage import Stage, outcome
from tests.openstack.scene import until

pytestmark = pytest.mark.openstack


def assert_failed(cluster: Cluster, *words: str) -> None:
    status, message = outcome(cluster)
    assert status == Status.ERROR
    assert [each for each in words if each not in str(message)] == [], message


@pytest.mark.parametrize(
    ("service", "name", "kind", "words"),
    [
        ("compute", "instances", "server", "Quota exceeded for instances"),
        ("network", "ports", "port", "Quota exceeded for resources: ['port']"),
        ("volume", "volumes", "volume", "Maximum number of volumes allowed"),
    ],
)
def test_a_quota_of_one_more(stage: Stage, admin: Any, service: str, name: str, kind: str, words: str) -> None:
    with quota(admin, service, name, len(stage.first[kind]) + 1):
        cluster = stage.created(2)

    second = cluster.instances()[1]
    assert_failed(cluster, second.name, words)
    assert stage.made()[kind] == 1
    assert stage.made()["port"] == stage.made()["server"]
    stage.delete_all_of(cluster)


def test_a_server_for_which_there_is_no_compute_apart(stage: Stage, admin: Any) -> None:
    with disabled(admin, "compute2"):
        cluster = stage.created(2, locality="anti-affinity")

    assert_failed(cluster, cluster.instances()[1].name, "No valid host was found")
    stage.delete_all_of(cluster)


def test_an_image_that_no_server_comes_up_from(stage: Stage) -> None:
    image: Any = stage.direct.connection.create_image(
        "broken", data=BytesIO(b"neither a disk nor an archive"), disk_format="raw", container_format="bare"
    )
    try:
        for datastore in Datastore.scan():
            datastore.update(actions=[Datastore.image.set(str(image.id))])
        cluster = stage.created()
    finally:
        stage.direct.connection.delete_image(image.id)

    assert_failed(cluster, "The cloud could not build the server", "Exceeded maximum number of retries")
    stage.delete_all_of(cluster)


def test_a_server_that_is_in_error_and_does_not_say_why(stage: Stage, admin: Any) -> None:
    made = of("nova", "POST", "/servers")

    def put_in_error(request: Request, pass_on: PassOn) -> Answer | None:
        answer = pass_on()
        if made(request):
            (server,) = stage.holdings()["server"] - stage.first["server"]
            until(lambda: stage.direct.connection.compute.get_server(server).status == "ACTIVE", "it is ACTIVE")
            admin.compute.reset_server_state(server, "error")
        return answer

    with stage.proxy.failing(put_in_error):
        cluster = stage.created()

    assert_failed(cluster, "The cloud could not build the server", "gives no reason")
    stage.delete_all_of(cluster)


def test_a_volume_that_is_stuck_in_error(stage: Stage, admin: Any) -> None:
    with stage.proxy.failing(breaking_its_volume(stage, admin)):
        cluster = stage.created()

    (volume,) = stage.holdings()["volume"] - stage.first["volume"]
    assert_failed(cluster, f"Volume {volume} is in status error.")
    stage.delete_all_of(cluster)


def breaking_its_volume(stage: Stage, admin: Any) -> Any:
    made = of("cinder", "POST", "/volumes")

    def breaking(request: Request, pass_on: PassOn) -> Answer | None:
        answer = pass_on()
        if made(request):
            (volume,) = stage.holdings()["volume"] - stage.first["volume"]
            until(lambda: stage.direct.connection.block_storage.get_volume(volume).status == "available", "it is there")
            set_volume_status(admin, volume, "error")
        return answer

    return breaking


@pytest.mark.parametrize("status", ["error_deleting", "detaching"])
def test_a_volume_that_cannot_be_deleted_is_named_until_an_operator_has_mended_it(
    stage: Stage, admin: Any, status: str
) -> None:
    with stage.proxy.failing(breaking_its_volume(stage, admin)):
        cluster = stage.created()
    (volume,) = stage.holdings()["volume"] - stage.first["volume"]
    set_volume_status(admin, volume, status)

    stage.hurry()
    job = stage.delete(cluster)

    assert (job.status, stage.made()) == (JobStatus.FAILED, {"volume": 1})
    assert f"Volume {volume}" in str(job.message)
    assert status in str(job.message)
    set_volume_status(admin, volume, "error")
    stage.relax()
    stage.delete_all_of(cluster)
