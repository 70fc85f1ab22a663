"""What a step is told: the execution that runs it, and its baton of ids."""

from dataclasses import dataclass
from typing import Any

from chalicelib.errors import Permanent
from chalicelib.jobs.beginnings import retake, workflow_of
from chalicelib.jobs.workflows import WORKFLOWS, Lock, Workflow
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus

Baton = dict[str, Any]


@dataclass(frozen=True)
class Execution:
    """What a step is told of its execution; a job's id is its execution's name."""

    arn: str
    job_id: str
    redrive_count: int = 0

    @classmethod
    def of(cls, context: dict[str, Any]) -> "Execution":
        """Read the state machine's `$$.Execution`; RedriveCount is there only where redriving is."""
        return cls(context["Id"], context["Name"], int(context.get("RedriveCount", 0)))

    @property
    def workflow(self) -> Workflow:
        """What it is a run of."""
        return WORKFLOWS[workflow_of(self.arn)]

    @property
    def lock(self) -> Lock:
        return self.workflow.lock


def reopened(job: Job, execution: Execution) -> Job:
    """Return the job if it runs; if its execution was redriven since it ended, take it up again. Raises Permanent."""
    if job.status == JobStatus.RUNNING:
        return job
    if execution.redrive_count <= job.redrives:
        raise Permanent(f"Job {job.job_id} has ended ({job.status}): {job.message}")
    retake(job, execution.redrive_count)
    return job
