"""Configuration groups that jobs are bringing to instances: until those jobs have ended, a group is not deleted."""

from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib.models.configuration import Configuration
from chalicelib.models.job import Job


def take_along(batch: TransactWrite, job: Job, configuration: Configuration) -> None:
    """Put into the batch that the job brings the group; the batch fails if the group is gone meanwhile."""
    brought_by: Any = Configuration.brought_by
    _note(batch, configuration, brought_by.add({job.job_id}))


def let_go(batch: TransactWrite, job: Job) -> None:
    """Put into the batch that the job, which ends, brings its group no more; it may have none."""
    configuration = Configuration.find(job.configuration_id) if job.configuration_id else None
    if configuration is not None and job.job_id in (configuration.brought_by or ()):
        brought_by: Any = Configuration.brought_by
        _note(batch, configuration, brought_by.delete({job.job_id}))


def _note(batch: TransactWrite, configuration: Configuration, action: Any) -> None:
    """Others note theirs at the same time, so what was read is no condition; but an edit or a delete must see it."""
    there = Configuration.configuration_id.exists()
    batch.update(configuration, actions=[action], condition=there, add_version_condition=False)
