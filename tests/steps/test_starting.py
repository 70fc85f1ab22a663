"""A start puts in force what waited for a restart, unless the service ran all the time."""

import pytest

from chalicelib.ssh.guest import UnitState
from chalicelib.steps.datastores import start_datastore
from tests.fake_guest import FakeGuest
from tests.orders_placed import change, fresh, ordered
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")

WAITS = "[ -e /etc/dtrove/parameters.conf.next ] && echo waiting || echo none"


@pytest.mark.parametrize(("said", "left"), [("waiting\n", {"hz"}), ("none\n", None)])
def test_what_waits_for_a_restart_still_waits(simulation: Simulation, said: str, left: set[str] | None) -> None:
    placed = ordered(1)
    simulation.carry_out(placed.job)
    starting = change("start_cluster", fresh(placed.cluster))
    (instance,) = starting.instances
    instance.waiting_parameters = {"hz"}
    unit = f"dtrove-start-{starting.job.job_id}"
    guest = FakeGuest({WAITS: said}, endings={unit: UnitState.SUCCEEDED})

    start_datastore(starting.cluster, instance, guest)

    assert (instance.waiting_parameters, guest.script[0]) == (left, f"{unit}: /opt/dtrove/service start")
