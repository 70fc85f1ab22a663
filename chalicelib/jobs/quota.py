"""Quotas: what a project may use, counted in the very transactions that add and forget its instances."""

from collections.abc import Sequence
from typing import Any

from pynamodb.transactions import TransactWrite

from chalicelib import config
from chalicelib.errors import OverLimit
from chalicelib.models.instance import Instance
from chalicelib.models.project import Project


def use_of(project_id: str) -> Project:
    try:
        return Project.get(project_id, consistent_read=True)
    except Project.DoesNotExist:
        return Project(project_id=project_id)


def check_quota(project_id: str, instances: Sequence[Instance]) -> None:
    """Raise OverLimit, with a reason; `count`'s own condition holds when two orders race."""
    use, limits = use_of(project_id), config.current()
    if 0 <= limits.dtrove_max_instances < use.instances + len(instances):
        raise OverLimit(f"Quota exceeded for resources: ['instances'] (limit {limits.dtrove_max_instances}).")
    if 0 <= limits.dtrove_max_volumes_gib < use.volumes_gib + _gib(instances):
        raise OverLimit(f"Quota exceeded for resources: ['volumes'] (limit {limits.dtrove_max_volumes_gib} GiB).")


def count(batch: TransactWrite, project_id: str, instances: Sequence[Instance], *, sign: int) -> None:
    """Put into the batch what the instances add to (or take from) the project's use; adding stays within the quota."""
    limits = config.current()
    condition: Any = None
    if sign > 0:
        condition = _fits(Project.instances, len(instances), limits.dtrove_max_instances)
        fits_too = _fits(Project.volumes_gib, _gib(instances), limits.dtrove_max_volumes_gib)
        condition = condition & fits_too if condition is not None and fits_too is not None else condition or fits_too
    batch.update(
        Project(project_id=project_id),
        actions=[Project.instances.add(sign * len(instances)), Project.volumes_gib.add(sign * _gib(instances))],
        condition=condition,
        add_version_condition=False,
    )


def _fits(attribute: Any, more: int, limit: int) -> Any:
    return None if limit < 0 else attribute.does_not_exist() | (attribute <= limit - more)


def _gib(instances: Sequence[Instance]) -> int:
    return sum(int(each.volume_gib or 0) for each in instances)
