"""At once: a Lambda is invoked again while it is at work, at every effect of it; the end is as if it were alone."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.jobs.beginnings import launch
from chalicelib.orders.access import place_access
from chalicelib.orders.whereabouts import Access
from tests.crash.cuts import READS, WRITES
from tests.crash.film import Stage
from tests.crash.stages import Overlapping, play_meetings
from tests.crash.stories import CONSOLE, STORIES, existing
from tests.crash.story import filmed, play_given_up, play_meeting
from tests.orders_placed import MEMBER
from tests.simulation import executions

pytestmark = pytest.mark.usefixtures("catalog")

ALL = STORIES | {"console's create": CONSOLE}
Tell = Callable[[str, object], None]
StageOf = Callable[[Any], Any]


@pytest.mark.parametrize("name", STORIES)
def test_a_second_invocation_in_the_middle_of_the_first(stage_of: StageOf, name: str, record_property: Tell) -> None:
    """The second runs to its end, or to its error, before the first goes on; Step Functions hears the first."""
    stage: Overlapping = stage_of(Overlapping)
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    for at in film.points_of():
        play_meeting(stage, film, stage.overlap, at)
        story.check(stage)
        assert {each.status for each in executions.all_of_them()} == {"SUCCEEDED"}
    record_property("counted", f"{name}: {stage.overlaps} overlaps, Step Functions hears the first")


@pytest.mark.parametrize("name", STORIES)
def test_a_second_invocation_that_is_the_one_heard(stage_of: StageOf, name: str, record_property: Tell) -> None:
    """So the first is not repeated if it fails. All Lambdas of a play meet a second, each at its own nth point."""
    stage: Overlapping = stage_of(Overlapping)
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    stage.is_second_heard = True
    before = -1
    while before < stage.overlaps:
        before = stage.overlaps
        play_meetings(stage, film.scenes[1])
        story.check(stage)
        stage.nth += 1
    record_property("counted", f"{name}: {stage.overlaps} overlaps in {stage.nth - 1} plays, the second is heard")


@pytest.mark.parametrize("name", ALL)
def test_a_second_invocation_between_what_a_step_on_records_reads(
    stage_of: StageOf, name: str, record_property: Tell
) -> None:
    stage: Overlapping = stage_of(Overlapping)
    story = ALL[name]
    story.begin(stage)
    film = filmed(stage, story.ask, READS | WRITES)
    points = [at for at in film.points_of("records") if film.points[at].startswith("before")]
    for at in points:
        play_meeting(stage, film, stage.overlap, at)
        story.check(stage)
    record_property("counted", f"{name}: {stage.overlaps} overlaps of steps on records, before each read and write")


@pytest.mark.parametrize("name", ["create", "grow", "delete", "shrink", "let in"])
def test_an_invocation_that_was_given_up_wakes_when_the_job_has_ended(
    stage_of: StageOf, name: str, record_property: Tell
) -> None:
    """Step Functions believed it dead. It wakes before an effect on the cloud or a guest: those have no conditions."""
    stage: Stage = stage_of(Stage)
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    points = [at for at in film.points_of("cloud", "guest") if is_outside(film.points[at])]
    for at in points:
        play_given_up(stage, film, at)
        story.check(stage)
    record_property("counted", f"{name}: {len(points)} invocations wake late")


def test_a_change_of_access_that_was_given_up_does_not_undo_the_next(stage_of: StageOf, record_property: Tell) -> None:
    """Step Functions believed it dead, and repeated it; others asked for another one. Then it wakes."""
    stage: Stage = stage_of(Stage)
    story = STORIES["let in"]
    story.begin(stage)
    film = filmed(stage, story.ask)
    others = Access(is_public=False, allowed_cidrs=("10.9.0.0/16",))

    def let_others_in() -> None:
        cluster = existing()
        launch(place_access(cluster.cluster_id, cluster.instance_ids[0], others, MEMBER).job)

    points = film.points_of("cloud")
    for at in points:
        play_given_up(stage, film, at, let_others_in)
        first = existing().instances()[0]
        server = stage.cloud.servers[first.instance_id]
        assert server.access.allowed_cidrs == tuple(first.allowed_cidrs) == others.allowed_cidrs
        assert (server.public_address, first.public_address) == (None, None)
    record_property("counted", f"let in, given up, and others let in: {len(points)} invocations wake late")


def is_outside(point: str) -> bool:
    when, what = point.split()[:2]
    return when == "before" and what not in WRITES
