"""Quotas: what a project may use, counted in the very transactions that add and forget its instances."""

from collections.abc import Sequence
from dataclasses import dataclass
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
        actions += [Project.instances.add(0), Project.volumes_gib.add(0)]  # it may be the first we hear of the project
        Project(project_id=project_id).update(actions=actions, add_version_condition=False)


def check_quota(project_id: str, instances: Sequence[Instance]) -> Limits:
    """Return the project's limits. Raises OverLimit, with a reason, if these instances would exceed them.

    `add`'s own condition holds when two orders race.
    """
    use = use_of(project_id)
    limits = limits_of(use)
    if 0 <= limits.instances < use.instances + len(instances):
        raise OverLimit(f"Quota exceeded for resources: ['instances'] (limit {limits.instances}).")
    if 0 <= limits.volumes_gib < use.volumes_gib + _gib(instances):
        raise OverLimit(f"Quota exceeded for resources: ['volumes'] (limit {limits.volumes_gib} GiB).")
    return limits


def add(batch: TransactWrite, project_id: str, instances: Sequence[Instance], limits: Limits) -> None:
    """Put into the batch what the instances add to the project's use, on condition that it stays within the limits."""
    conditions = [
        _fits(Project.instances, len(instances), limits.instances),
        _fits(Project.volumes_gib, _gib(instances), limits.volumes_gib),
    ]
    conditions = [each for each in conditions if each is not None]
    _count(batch, project_id, len(instances), _gib(instances), reduce(and_, conditions) if conditions else None)


def give_back(batch: TransactWrite, project_id: str, instances: Sequence[Instance]) -> None:
    """Put into the batch that the project uses these no more."""
    _count(batch, project_id, -len(instances), -_gib(instances), None)


def check_growth(job: Job, instances: Sequence[Instance]) -> Limits:
    """Return the project's limits. Raises OverLimit if what the job's volumes shall grow by would exceed them."""
    use = use_of(job.project_id)
    limits = limits_of(use)
    growth_gib = _growth_gib(job, instances)
    if growth_gib and 0 <= limits.volumes_gib < use.volumes_gib + growth_gib:
        raise OverLimit(f"Quota exceeded for resources: ['volumes'] (limit {limits.volumes_gib} GiB).")
    return limits


def add_growth(batch: TransactWrite, job: Job, instances: Sequence[Instance], limits: Limits) -> None:
    """Put into the batch what the job's volumes shall grow by, on condition that it stays within the limits."""
    if growth_gib := _growth_gib(job, instances):
        _count(batch, job.project_id, 0, growth_gib, _fits(Project.volumes_gib, growth_gib, limits.volumes_gib))


def give_back_growth(batch: TransactWrite, job: Job, instances: Sequence[Instance]) -> None:
    """Put into the batch that what the job, which ends, has not grown will not be used."""
    if growth_gib := _growth_gib(job, instances):
        _count(batch, job.project_id, 0, -growth_gib, None)


def _growth_gib(job: Job, instances: Sequence[Instance]) -> int:
    """Return how much is yet to grow of what the job shall."""
    about = [each for each in instances if each.instance_id in job.instance_ids]
    return sum(max(0, int(job.volume_gib) - int(each.volume_gib)) for each in about) if job.volume_gib else 0


def add_backup(batch: TransactWrite, project_id: str) -> None:
    """Put into the batch that the project has one backup more, on condition that it may. Raises OverLimit."""
    use = use_of(project_id)
    if 0 <= (most := limits_of(use).backups) < use.backups + 1:
        raise OverLimit(f"Quota exceeded for resources: ['backups'] (limit {most}).")
    _count_backups(batch, project_id, 1, _fits(Project.backups, 1, most))


def give_back_backup(batch: TransactWrite, project_id: str) -> None:
    _count_backups(batch, project_id, -1, None)


def _count_backups(batch: TransactWrite, project_id: str, more: int, condition: Any) -> None:
    actions: list[Action] = [Project.backups.add(more), Project.instances.add(0), Project.volumes_gib.add(0)]
    project = Project(project_id=project_id)
    batch.update(project, actions=actions, condition=condition, add_version_condition=False)


def _count(batch: TransactWrite, project_id: str, instances: int, volumes_gib: int, condition: Any) -> None:
    batch.update(
        Project(project_id=project_id),
        actions=[Project.instances.add(instances), Project.volumes_gib.add(volumes_gib)],
        condition=condition,
        add_version_condition=False,
    )


def _fits(attribute: Any, more: int, limit: int) -> Any:
    return None if limit < 0 else attribute.does_not_exist() | (attribute <= limit - more)


def _gib(instances: Sequence[Instance]) -> int:
    return sum(int(each.volume_gib or 0) for each in instances)
