"""Simulation: carries out the jobs that were started, and tells what is left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app import cloud as cloud_function
from app import guest as guest_function
from app import records as records_function
from chalicelib.jobs import endings
from chalicelib.jobs.beginnings import execution_arn
from chalicelib.models import record
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from chalicelib.models.status import JobStatus
from chalicelib.providers.memory import MemoryProvider
from chalicelib.providers.memory_cloud import Cloud
from chalicelib.steps import world
from tests.simulation.guest import Guests
from tests.simulation.machine import Failed, Machine

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "records": records_function,
    "cloud": cloud_function,
    "guest": guest_function,
}


@dataclass
class Simulation:
    """A world of its own; `install` makes it the one that steps act on."""

    trip: Callable[[str], None] = lambda point: None
    revive: Callable[[], None] = lambda: None  # called as each Lambda begins: what died before is over
    polls: int = 0
    log: list[dict[str, object]] = field(default_factory=list)

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

    def carry_out(self, job: Job, data: Any = None) -> Machine:
        """Run the job's execution to its end, and close the job as `outcomes` would if it fails."""
        execution = {"Id": execution_arn(job), "Name": job.job_id}
        machine = Machine(job.workflow, self.invoke, execution)
        try:
            machine.run(data or {"cluster_id": job.cluster_id})
        except Failed as failure:
            found = Job.find(job.job_id)
            if found and found.status == JobStatus.RUNNING:
                endings.fail(found, JobStatus.FAILED, failure.cause)
        return machine

    def invoke(self, resource: str, event: dict[str, Any]) -> Any:
        self.revive()
        return FUNCTIONS[resource](event, None)

    def left(self) -> list[str]:
        """Name all that customers or the cloud still have."""
        tables = (Cluster, Instance, Key)
        records = [f"{table.__name__} {each.serialize()}" for table in tables for each in table.scan()]
        use = [f"use {each.serialize()}" for each in Project.scan() if each.instances or each.volumes_gib]
        return records + use + [f"{each.kind} of {each.instance_id}" for each in self.cloud.owned()]
