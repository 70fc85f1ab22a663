"""Crash anywhere: die before and after every effect, and end as if nothing had happened."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from tests.crash.film import Stage
from tests.crash.stages import Abandoning, Doubling
from tests.crash.stories import CONSOLE, STORIES
from tests.crash.story import filmed, only_cluster, open_jobs, play_cut, repeat, run_all
from tests.orders_placed import change, fresh
from tests.simulation import executions

pytestmark = pytest.mark.usefixtures("catalog")

AGAIN = 4  # after each fourth cut all is delivered once more
Tell = Callable[[str, object], None]
StageOf = Callable[[Any], Any]


@pytest.fixture(params=STORIES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("half", [0, 1])
def test_cut_at_every_point_the_end_is_the_same(stage_of: StageOf, name: str, half: int, record_property: Tell) -> None:
    stage: Stage = stage_of(Stage)
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    story.check(stage)
    for at in range(half, len(film.points), 2):
        play_cut(stage, film, story.ask, at)
        if not story.is_recorded:
            assert film.points[at].startswith("before")
            story.ask()
            run_all(stage)
        story.check(stage)
        assert {each.status for each in executions.all_of_them()} == {"SUCCEEDED"}
        if at % AGAIN == half:
            repeat(stage)
            story.check(stage)
    cuts = len(film.points[half::2])
    record_property("counted", f"{name}: cut at {cuts} of {len(film.points)} points")


def test_cut_while_an_order_from_the_console_is_recorded(stage_of: StageOf, record_property: Tell) -> None:
    stage: Stage = stage_of(Stage)
    film = filmed(stage, CONSOLE.ask)
    points = film.points_of("records")
    for at in points:
        play_cut(stage, film, CONSOLE.ask, at)
        CONSOLE.check(stage)
    record_property("counted", f"console's create: cut at the {len(points)} of {len(film.points)} points on records")


def test_every_lambda_invoked_twice_the_end_is_the_same(stage_of: StageOf, name: str) -> None:
    stage: Stage = stage_of(Doubling)
    story = STORIES[name]
    story.begin(stage)
    filmed(stage, story.ask)
    story.check(stage)


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("name", ["create", "grow"])
def test_abandoned_at_every_point_it_can_be_deleted_and_nothing_leaks(
    stage_of: StageOf, name: str, half: int, record_property: Tell
) -> None:
    stage: Stage = stage_of(Abandoning)
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    for at in range(half, len(film.points), 2):
        play_cut(stage, film, story.ask, at)
        assert open_jobs() == []
        stage.pass_time(minutes=10)
        if (cluster := only_cluster()) is not None:
            stage.carry_out(change("delete_cluster", fresh(cluster)).job)
        assert stage.left() == []
        assert {job.status for job in Job.scan()} <= {JobStatus.SUCCEEDED, JobStatus.ABORTED}
    cuts = len(film.points[half::2])
    record_property("counted", f"{name}, then delete: abandoned at {cuts} of {len(film.points)} points")
