"""Quotas: counted where instances are added, so that two orders cannot use the same room."""

import pytest

from chalicelib.errors import OverLimit
from chalicelib.jobs import quota
from chalicelib.models.instance import Instance
from chalicelib.models.record import Stale, transaction
from tests.orders_placed import MEMBER, ordered

pytestmark = pytest.mark.usefixtures("catalog")

HALF = 11  # more than half of what the tests' settings allow


def new(count: int, volume_gib: int | None = None) -> list[Instance]:
    return [Instance(instance_id=f"i{number}", volume_gib=volume_gib) for number in range(count)]


@pytest.mark.parametrize("instances", [new(HALF), new(1, volume_gib=60)], ids=["instances", "volumes"])
def test_of_two_orders_that_both_saw_room_one_gets_it(instances: list[Instance]) -> None:
    for _ in range(2):
        limits = quota.check_quota(MEMBER.project_id, instances)

    with transaction() as batch:
        quota.add(batch, MEMBER.project_id, instances, limits)
    with pytest.raises(Stale), transaction() as batch:
        quota.add(batch, MEMBER.project_id, instances, limits)

    assert quota.use_of(MEMBER.project_id).instances == len(instances)


def test_an_order_over_the_quota_names_it() -> None:
    ordered(5)

    with pytest.raises(OverLimit, match=r"\['instances'\] \(limit 20\)"):
        quota.check_quota(MEMBER.project_id, new(16))
    with pytest.raises(OverLimit, match=r"\['volumes'\] \(limit 100 GiB\)"):
        quota.check_quota(MEMBER.project_id, new(1, volume_gib=101))
