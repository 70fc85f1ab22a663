"""Quotas: what a project may use, counted in the very transactions that add and forget its instances."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import and_
from typing import Any

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from chalicelib import config
from chalicelib.errors import OverLimit
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.project import Project


@dataclass(frozen=True)
class Limits:
    """-1 is no limit."""

    instances: int
    volumes_gib: int
    backups: int


def use_of(project_id: str) -> Project:
    try:
        return Project.get(project_id, consistent_read=True)
    except Project.DoesNotExist:
        return Project(project_id=project_id)


def limits_of(project: Project) -> Limits:
    """Return the project's own limits; where it has none, those of all."""
    limits, own = config.current(), (project.most_instances, project.most_volumes_gib, project.most_backups)
    everybodys = (limits.dtrove_max_instances, limits.dtrove_max_volumes_gib, limits.dtrove_max_backups)
    return Limits(*(int(everybody if mine is None else mine) for mine, everybody in zip(own, everybodys, strict=True)))


def set_limits(project_id: str, instances: int | None, volumes_gib: int | None, backups: int | None = None) -> None:
    """Give the project limits of its own; None leaves one as it is."""
    given = (
        (Project.most_instances, instances),
        (Project.most_volumes_gib, volumes_gib),
        (Project.most_backups, backups),
    )
    actions: list[Action] = [attribute.set(value) for attribute, value in given if value is not None]
    if actions:
        actions += [
            getattr(Project, each.name).add(0) for each in fields(Limits)
        ]  # it may be the first we hear of the project
        Project(project_id=project_id).update(actions=actions, add_version_condition=False)


def check_quota(project_id: str, instances: Sequence[Instance]) -> Limits:
    """Return the project's limits. Raises OverLimit, with a reason, if these instances would exceed them.

    `add`'s own condition holds when two orders race.
    """
    use = use_of(project_id)
    limits = limits_of(use)
    _check_room("instances", int(use.instances) + len(instances), limits.instances)
    _check_room("volumes", int(use.volumes_gib) + _gib(instances), limits.volumes_gib, " GiB")
    return limits


def add(batch: TransactWrite, project_id: str, instances: Sequence[Instance], limits: Limits) -> None:
    """Put into the batch what the instances add to the project's use, on condition that it stays within the limits."""
    _count(batch, project_id, limits, instances=len(instances), volumes_gib=_gib(instances))


def give_back(batch: TransactWrite, project_id: str, instances: Sequence[Instance]) -> None:
    """Put into the batch that the project uses these no more."""
    _count(batch, project_id, instances=-len(instances), volumes_gib=-_gib(instances))


def check_growth(job: Job, instances: Sequence[Instance]) -> Limits:
    """Return the project's limits. Raises OverLimit if what the job's volumes shall grow by would exceed them."""
    use = use_of(job.project_id)
    limits = limits_of(use)
    if growth_gib := _growth_gib(job, instances):
        _check_room("volumes", int(use.volumes_gib) + growth_gib, limits.volumes_gib, " GiB")
    return limits


def add_growth(batch: TransactWrite, job: Job, instances: Sequence[Instance], limits: Limits) -> None:
    """Put into the batch what the job's volumes shall grow by, on condition that it stays within the limits."""
    if growth_gib := _growth_gib(job, instances):
        _count(batch, job.project_id, limits, volumes_gib=growth_gib)


def give_back_growth(batch: TransactWrite, job: Job, instances: Sequence[Instance]) -> None:
    """Put into the batch that what the job, which ends, has not grown will not be used."""
    if growth_gib := _growth_gib(job, instances):
        _count(batch, job.project_id, volumes_gib=-growth_gib)


def _growth_gib(job: Job, instances: Sequence[Instance]) -> int:
    """Return how much is yet to grow of what the job shall."""
    about = [each for each in instances if each.instance_id in job.instance_ids]
    return sum(max(0, int(job.volume_gib) - int(each.volume_gib)) for each in about) if job.volume_gib else 0


def add_backup(batch: TransactWrite, project_id: str) -> None:
    """Put into the batch that the project has one backup more, on condition that it may. Raises OverLimit."""
    use = use_of(project_id)
    limits = limits_of(use)
    _check_room("backups", int(use.backups) + 1, limits.backups)
    _count(batch, project_id, limits, backups=1)


def give_back_backup(batch: TransactWrite, project_id: str) -> None:
    _count(batch, project_id, backups=-1)


def _check_room(what: str, wanted: int, limit: int, unit: str = "") -> None:
    if 0 <= limit < wanted:
        raise OverLimit(f"Quota exceeded for resources: ['{what}'] (limit {limit}{unit}).")


def _count(batch: TransactWrite, project_id: str, limits: Limits | None = None, **more: int) -> None:
    """Put into the batch so much more of each, by the names of Limits: on condition that it fits, if there are limits.

    What is not named is there afterwards too: it may be the first that is heard of the project.
    """
    actions = [getattr(Project, each.name).add(more.get(each.name, 0)) for each in fields(Limits)]
    fitting = [_fits(getattr(Project, name), count, getattr(limits, name)) for name, count in more.items() if limits]
    conditions = [each for each in fitting if each is not None]
    condition = reduce(and_, conditions) if conditions else None
    project = Project(project_id=project_id)
    batch.update(project, actions=actions, condition=condition, add_version_condition=False)


def _fits(attribute: Any, more: int, limit: int) -> Any:
    return None if limit < 0 else attribute.does_not_exist() | (attribute <= limit - more)


def _gib(instances: Sequence[Instance]) -> int:
    return sum(int(each.volume_gib or 0) for each in instances)
