"""Nobody who subscribes misses a change: whatever dies while it is made, recorded or told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.errors import Permanent
from chalicelib.models.job import Job
from tests.crash.cuts import Cuts
from tests.crash.film import Saved, Stage
from tests.crash.stories import create, delete, existing
from tests.crash.story import Ask, only_cluster, play, run_all
from tests.crash.stream import Bus, forget, streaming, told

pytestmark = pytest.mark.usefixtures("catalog")
Tell = Callable[[str, object], None]
EACH = 7  # of the points


@pytest.fixture(autouse=True)
def streams(catalog: None) -> Iterator[None]:
    with streaming():
        yield


def statuses(bus: Bus) -> list[tuple[str | None, str]]:
    changed = [each for each in bus.once if each["type"] == "DTrove Cluster State Change"]
    return [(each["previous_status"], each["status"]) for each in changed]


def endings(bus: Bus) -> list[tuple[str, str]]:
    ended = [each for each in bus.details if each["type"] == "DTrove Job Ended"]
    return sorted({(each["workflow"], each["status"]) for each in ended})


def from_nothing_to_nothing(stage: Stage, ask: Ask, cuts: Cuts) -> Bus:
    """Create, cut somewhere, then delete; return what was told of it."""
    play(stage, cuts, ask)
    if only_cluster() is None:  # it died before it was recorded
        ask()
        run_all(stage)
    delete()
    run_all(stage)
    return told(Bus())


def test_cut_anywhere_each_change_is_told(stage_of: Callable[[Any], Any], record_property: Tell) -> None:
    stage: Stage = stage_of(Stage)
    nothing, uncut = Saved.of(stage), Cuts()
    bus = from_nothing_to_nothing(stage, create, uncut)
    whole = [(None, "CREATING"), ("CREATING", "ACTIVE"), ("ACTIVE", "DELETING"), ("DELETING", "DELETED")]
    assert statuses(bus) == whole

    points = range(0, len(uncut.passed), EACH)
    for at in points:
        nothing.restore(stage)
        forget()
        bus = from_nothing_to_nothing(stage, create, Cuts(at))
        assert statuses(bus) == whole
        assert endings(bus) == [("create_cluster", "SUCCEEDED"), ("delete_cluster", "SUCCEEDED")]
        assert len(bus.details) > len(bus.once)  # what was told before a Lambda died is told again
    record_property("counted", f"events: create, then delete: cut at {len(points)} points, and while it is told")


def test_a_failure_is_told_with_its_reason(stage_of: Callable[[Any], Any]) -> None:
    stage: Stage = stage_of(Stage)

    def fail(address: str, command: str) -> None:
        raise Permanent("disk full")

    stage.guests.fail = fail
    play(stage, Cuts(), create)

    bus = told(Bus())

    assert statuses(bus) == [(None, "CREATING"), ("CREATING", "ERROR")]
    failed = next(each for each in bus.details if each["type"] == "DTrove Job Ended")
    cluster = next(each for each in bus.details if each["status"] == "ERROR")
    (job,) = Job.scan()
    assert "disk full" in failed["message"] == job.message == cluster["message"]
    assert (cluster["job_id"], cluster["cluster_id"]) == (job.job_id, existing().cluster_id)
    assert cluster["instance_ids"] == existing().instance_ids
