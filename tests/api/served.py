"""Instances of the ledger that serve."""

from typing import Any

from chalicelib.models.job import Job
from tests.api.client import ApiCaller
from tests.simulation.service import Simulation


def created(simulation: Simulation, **more: Any) -> str:
    """Order one over the API, carry its job out, and return its id."""
    order = {"instance": {"name": "db1", "flavorRef": 1, "datastore": {"type": "ledger"}, **more}}
    instance = ApiCaller().post("/instances", order).body["instance"]
    simulation.carry_out(Job.get(instance["job_id"]))
    return str(instance["id"])
