"""A story: what a customer asks for, played with one cut somewhere, then set right as the service would by itself."""

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
from moto.dynamodb.models import dynamodb_backends
from moto.stepfunctions.models import stepfunctions_backends

from chalicelib.errors import NotReady, Permanent
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import launch
from chalicelib.jobs.sweep import sweep
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.orders.placing import Placed
from tests.conftest import ACCOUNT, REGION
from tests.crash.cuts import Cuts
from tests.simulation.machine import Cut, Machine
from tests.simulation.service import Simulation

Request = Callable[[], Placed]


@dataclass
class Saved:
    """Everything there is, to begin again from."""

    tables: dict[str, Any]
    insides: Any
    cloud: Any

    @classmethod
    def of(cls, simulation: Simulation) -> "Saved":
        tables = {name: copy.deepcopy(table.items) for name, table in _tables().items()}
        cloud = {shelf: copy.deepcopy(getattr(simulation.cloud, shelf)) for shelf in SHELVES}
        return cls(tables, copy.deepcopy(simulation.guests.insides), cloud)

    def restore(self, simulation: Simulation) -> None:
        for name, table in _tables().items():
            table.items = copy.deepcopy(self.tables[name])
        for shelf in SHELVES:
            setattr(simulation.cloud, shelf, copy.deepcopy(self.cloud[shelf]))
        simulation.guests.insides = copy.deepcopy(self.insides)
        for machine in stepfunctions_backends[ACCOUNT][REGION].state_machines:
            machine.executions.clear()


SHELVES = ("servers", "volumes", "snapshots", "addresses")


def _tables() -> Any:
    return dynamodb_backends[ACCOUNT][REGION].tables


def play(simulation: Simulation, cuts: Cuts, request: Request) -> None:
    """Ask, as the API would; carry out; die where the cut says; then let sweep and retries set it right."""
    simulation.trip, simulation.revive = cuts.trip, cuts.revive
    with cuts.watching_writes():
        try:
            launch(request().job)
        except Cut:
            cuts.revive()
        _recover(simulation, cuts)
        for job in open_jobs():
            simulation.carry_out(job)
    cuts.is_watching = False
    simulation.trip = lambda point: None


def _recover(simulation: Simulation, cuts: Cuts) -> None:
    """A minute later: the sweep starts what was recorded and never began. It may die too, and then runs again."""
    started = {each["name"] for each in _executions()}
    if any(job.job_id not in started for job in open_jobs()):
        simulation.pass_time(minutes=2)
        try:
            sweep()
        except Cut:
            cuts.revive()
            sweep()


def _executions() -> list[Any]:
    states = boto3.client("stepfunctions")
    machines = states.list_state_machines()["stateMachines"]
    return [
        each
        for machine in machines
        for each in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    ]


def open_jobs() -> list[Job]:
    return [job for job in Job.scan() if job.status == JobStatus.RUNNING]


def repeat(simulation: Simulation) -> None:
    """Deliver everything once more: the executions, the sweep. Nothing may come of it."""
    for job in Job.scan():
        simulation.carry_out(job)
    simulation.pass_time(minutes=2)
    sweep()


class Abandoning(Simulation):
    """A service whose executions are aborted at the first death: nothing retries."""

    def carry_out(self, job: Job, data: Any = None) -> Machine:
        try:
            return super().carry_out(job, data)
        except Aborted:
            self.revive()
            endings.fail(Job.get(job.job_id, consistent_read=True), JobStatus.ABORTED, "aborted")
            raise

    def invoke(self, resource: str, event: dict[str, Any]) -> Any:
        try:
            return super().invoke(resource, event)
        except Cut as cut:
            raise Aborted(str(cut)) from cut


class Aborted(BaseException):
    pass


class Doubling(Simulation):
    """A service in which every Lambda is invoked twice, as at-least-once delivery may."""

    def invoke(self, resource: str, event: dict[str, Any]) -> Any:
        answer = super().invoke(resource, event)
        with suppress(Permanent, NotReady):  # the job may be closed by now: what counts is that nothing changes
            assert super().invoke(resource, event) == answer
        return answer


def only_cluster() -> Cluster | None:
    clusters = list(Cluster.scan())
    assert len(clusters) <= 1
    return clusters[0] if clusters else None
