"""Simulation: carries out the jobs that were started, and tells what is left."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app import cloud as cloud_function
from app import guest as guest_function
from app import outcomes as outcomes_function
from app import records as records_function
from chalicelib.jobs.beginnings import execution_arn, workflow_of
from chalicelib.models import record
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from chalicelib.models.record import Stale
from chalicelib.providers.memory import MemoryProvider
from chalicelib.providers.memory_cloud import Cloud
from chalicelib.steps import world
from tests.simulation import executions
from tests.simulation.executions import Execution
from tests.simulation.guest import Guests
from tests.simulation.machine import Cut, Failed, Machine, Stopped

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "records": records_function,
    "cloud": cloud_function,
    "guest": guest_function,
}
DELIVERIES = 2  # of each event: at least once is what EventBridge promises
TRIES = 3  # of each delivery: Lambda's for an asynchronous call


@dataclass
class Simulation:
    """A world of its own; `install` makes it the one that steps act on."""

    trip: Callable[[str], None] = lambda point: None
    revive: Callable[[], None] = lambda: None  # called as each Lambda begins: what died before is over
    polls: int = 0
    log: list[dict[str, object]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)  # on their way
    are_events_late: bool = False  # then somebody else must `deliver` them

    def __post_init__(self) -> None:
        self.cloud = Cloud(polls=self.polls, trip=self._trip)
        self.guests = Guests(self.cloud, self.polls, trip=self._trip)
        self.hours = timedelta()

    def _trip(self, point: str) -> None:
        self.trip(point)

    def install(self) -> None:
        record.clock = lambda: record.utc() + self.hours
        world.replace(
            world.World(
                provider=lambda: MemoryProvider(self.cloud),
                connect=self.guests.connect,
                sleep=lambda seconds: None,
                monotonic=lambda: 0.0,
                log=self.log.append,
                patience_seconds=0,
            )
        )

    def uninstall(self) -> None:
        record.clock = record.utc
        world.replace(None)

    def pass_time(self, **time: float) -> None:
        self.hours += timedelta(**time)

    def wait(self, seconds: float) -> None:
        self.pass_time(seconds=seconds)

    def carry_out(self, job: Job, order: Any = None) -> Machine:
        """Run the job's execution, starting it if nobody has."""
        order = order or {"cluster_id": job.cluster_id}
        return self.run(executions.begun(execution_arn(job), json.dumps(order)))

    def run(self, execution: Execution) -> Machine:
        """Run it to its end. Step Functions then knows how it ended, and `outcomes` hears of it.

        Of one that has ended already, the Lambdas are invoked once more and its event comes again.
        """
        context = {"Id": execution.execution_arn, "Name": execution.name}
        machine = Machine(workflow_of(execution.execution_arn), self.invoke, context, self.wait)
        try:
            machine.run(json.loads(execution.execution_input))
        except Failed as failure:
            executions.end(execution, "FAILED", failure.error, failure.cause)
        except Stopped:
            executions.end(execution, "ABORTED")
        else:
            executions.end(execution, "SUCCEEDED")
        if execution.status in executions.HEARD_OF:
            self.events.append(executions.event_of(execution))
        if not self.are_events_late:
            self.deliver()
        return machine

    def invoke(self, resource: str, event: dict[str, Any]) -> Any:
        self.revive()
        return FUNCTIONS[resource](event, None)

    def deliver(self) -> None:
        """Bring all events to `outcomes`. That is all that closes the job of an execution that ended badly."""
        events, self.events = self.events, []
        for event in events * DELIVERIES:
            self._deliver(event)

    def _deliver(self, event: dict[str, Any]) -> None:
        for _ in range(TRIES):
            self.revive()
            with suppress(Cut, Stale):
                outcomes_function(event, None)
                return

    def left(self) -> list[str]:
        """Name all that customers or the cloud still have."""
        return [*self.left_of_records(), *(f"{each.kind} of {each.instance_id}" for each in self.cloud.owned())]

    def left_of_records(self) -> list[str]:
        tables = (Cluster, Instance, Key)
        records = [f"{table.__name__} {each.serialize()}" for table in tables for each in table.scan()]
        return records + [f"use {each.serialize()}" for each in Project.scan() if each.instances or each.volumes_gib]
