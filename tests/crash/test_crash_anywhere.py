"""Crash anywhere: die before and after every effect, and end as if nothing had happened."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from chalicelib.models.status import JobStatus, Status
from chalicelib.orders.placing import Placed
from tests.crash.cuts import Cuts
from tests.crash.story import Abandoning, Aborted, Doubling, Saved, only_cluster, open_jobs, play, repeat
from tests.orders_placed import change, fresh, grown, ordered
from tests.simulation.service import Simulation

pytestmark = pytest.mark.usefixtures("catalog")

SIZE = 2
AGAIN = 4  # after each fourth cut all is delivered once more


def create() -> Placed:
    return ordered(SIZE, volume_gib=1)


def grow() -> Placed:
    return grown(existing())


def delete() -> Placed:
    return change("delete_cluster", existing())


def shrink() -> Placed:
    return change("remove_instance", existing(), existing().instance_ids[1])


def rotate() -> Placed:
    return change("rotate_key", existing())


def existing() -> Cluster:
    cluster = only_cluster()
    assert cluster is not None
    return cluster


STORIES: dict[str, tuple[Callable[[], Placed], int]] = {  # request, instances afterwards
    "create": (create, SIZE),
    "grow": (grow, SIZE + 1),
    "delete": (delete, 0),
    "shrink": (shrink, SIZE - 1),
    "rotate": (rotate, SIZE),
}


@pytest.fixture(params=STORIES)
def story(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service() -> Iterator[Simulation]:
    service = Simulation()
    service.install()
    yield service
    service.uninstall()


def begun(service: Simulation, story: str) -> Saved:
    """What is there before the story: a cluster, but for the story that makes it."""
    if story != "create":
        service.carry_out(create().job)
    return Saved.of(service)


def points(service: Simulation, saved: Saved, story: str) -> list[str]:
    saved.restore(service)
    cuts = Cuts()
    play(service, cuts, STORIES[story][0])
    check(service, STORIES[story][1])
    return cuts.passed


def check(service: Simulation, size: int) -> None:
    """The end state: exactly `size` whole instances, nothing else anywhere, all locks free, all counts true."""
    assert open_jobs() == []
    cluster = only_cluster()
    if size == 0:
        assert service.left() == []
        return
    assert cluster is not None
    instances = cluster.instances()
    assert (cluster.status, cluster.held_by, cluster.message) == (Status.ACTIVE, None, None)
    assert [each.status for each in instances] == [Status.ACTIVE] * size
    assert {each.held_by or each.busy_by for each in instances} == {None}
    assert set(service.cloud.servers) == {each.instance_id for each in instances}
    assert set(service.cloud.volumes) <= set(service.cloud.servers)
    assert {key.key_id for key in Key.scan()} == set(cluster.key_ids) == {each.key_id for each in instances}
    use = Project.get("p1")
    assert (use.instances, use.volumes_gib) == (size, sum(each.volume_gib or 0 for each in instances))
    for each in instances:
        inside = service.guests.insides[str(each.server_id)]
        assert inside.started.count("dtrove-prepare") == 1
        assert inside.started.count("dtrove-seed") == (0 if each.is_primary else 1)


@pytest.mark.parametrize("half", [0, 1])
def test_cut_at_every_point_the_end_is_the_same(
    service: Simulation, story: str, half: int, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = begun(service, story)
    passed = points(service, saved, story)
    for at, point in list(enumerate(passed))[half::2]:
        saved.restore(service)
        play(service, Cuts(at), STORIES[story][0])
        done = [job.status for job in Job.scan()][-1:]
        if not done or (story != "create" and len(list(Job.scan())) == 1):  # it died before it was recorded
            assert point.startswith("before")
            STORIES[story][0]()
            for job in open_jobs():
                service.carry_out(job)
        check(service, STORIES[story][1])
        if at % AGAIN == 0:
            repeat(service)
            check(service, STORIES[story][1])
    with capsys.disabled():
        print(f"\n{story}: cut at {len(passed[half::2])} of {len(passed)} points")


def test_every_lambda_invoked_twice_the_end_is_the_same(story: str) -> None:
    service = Doubling()
    service.install()
    try:
        saved = begun(service, story)
        points(service, saved, story)
    finally:
        service.uninstall()


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("story", ["create", "grow"])
def test_abandoned_at_every_point_it_can_be_deleted_and_nothing_leaks(
    story: str, half: int, capsys: pytest.CaptureFixture[str]
) -> None:
    service = Abandoning()
    service.install()
    try:
        saved = begun(service, story)
        passed = points(service, saved, story)
        for at in range(half, len(passed), 2):
            saved.restore(service)
            try:
                play(service, Cuts(at), STORIES[story][0])
            except Aborted:
                service.trip = lambda point: None
            service.pass_time(minutes=10)
            if (cluster := only_cluster()) is not None:
                service.carry_out(change("delete_cluster", fresh(cluster)).job)
            assert service.left() == []
            assert {job.status for job in Job.scan()} <= {JobStatus.SUCCEEDED, JobStatus.ABORTED}
    finally:
        service.uninstall()
    with capsys.disabled():
        print(f"\n{story}, then delete: abandoned at {len(passed[half::2])} of {len(passed)} points")
