"""Services of the cloud that go down in the middle of a job, and those that do not come back."""

import re
from typing import Any

import pytest

from chalicelib.models.status import JobStatus, Status
from local.openstack import site
from tests.openstack.faults.operators import counted_as_down, disabled
from tests.openstack.faults.outages import at_once, down, of, outage
from tests.openstack.faults.proxy import Answer, PassOn, Request
from tests.openstack.faults.stage import Stage, outcome
from tests.openstack.scene import until

pytestmark = pytest.mark.openstack
SERVER = of("nova", "POST", "/servers")
COMPUTES = [f"nova-{each}" for each in site.COMPUTES]


def test_nova_goes_down_as_it_has_taken_the_order_of_a_server(stage: Stage) -> None:
    with outage(stage, "nova-api", when=SERVER, waits=3) as began:
        cluster = stage.created()

    assert began
    assert outcome(cluster) == (Status.ACTIVE, None)
    assert stage.made()["server"] == 1
    stage.delete_all_of(cluster)


def test_messages_are_down_as_a_server_is_ordered(stage: Stage) -> None:
    """Nova builds it when they are back; unless it counted its computes as down by then, or the message is lost."""
    stage.hurry(pace=0.03)
    with outage(stage, "rabbit", when=SERVER, waits=2, passes=False) as began:
        cluster = stage.created()

    assert began
    status, message = outcome(cluster)
    assert status == Status.ACTIVE or re.search("No valid host was found|Waited for in vain: .* is BUILD", str(message))
    assert stage.made()["server"] == 1
    stage.relax()
    stage.delete_all_of(cluster)


def test_nobody_can_be_told_who_we_are_at_first(stage: Stage) -> None:
    with outage(stage, "keystone", when=at_once, waits=3, passes=False) as began:
        cluster = stage.created()

    assert began
    assert outcome(cluster) == (Status.ACTIVE, None)
    stage.delete_all_of(cluster)


def test_a_server_that_no_compute_takes_up_is_said_to_be_building(stage: Stage) -> None:
    """Nova counts both as up, since they were a moment ago. The server waits for one of them, and can be deleted."""
    stage.hurry()
    with down(*COMPUTES):
        cluster = stage.created()

    (instance,) = cluster.instances()
    assert outcome(cluster) == (Status.ERROR, f"Waited for in vain: The server of {instance.name} is BUILD, 0 %.")
    stage.relax()
    stage.delete_all_of(cluster)


def test_without_a_compute_nova_says_so(stage: Stage, admin: Any) -> None:
    with disabled(admin, *site.COMPUTES):
        cluster = stage.created()

    status, message = outcome(cluster)
    assert (status, "No valid host was found" in str(message)) == (Status.ERROR, True), message
    stage.delete_all_of(cluster)


def test_a_server_whose_host_goes_down_as_it_is_deleted_goes_without_it(stage: Stage, admin: Any) -> None:
    """It is off before, so that nothing of it runs on the host, which hears of its end only when it is back."""
    cluster = stage.created()
    (server,) = stage.holdings()["server"] - stage.first["server"]
    admin.compute.stop_server(server)
    until(lambda: admin.compute.get_server(server).status == "SHUTOFF", "it is off")
    stage.hurry(pace=0.02)

    with counted_as_down(admin, *site.COMPUTES) as count, down(*COMPUTES):

        def counting(request: Request, pass_on: PassOn) -> Answer | None:
            answer = pass_on()
            if request.is_of("nova", "DELETE", server):
                count()
            return answer

        with stage.proxy.failing(counting):
            job = stage.delete(cluster)

    assert (job.status, job.message) == (JobStatus.SUCCEEDED, None)
    assert stage.left() == []
