"""Events: an execution that ended badly closes its job through `outcomes`, however often and late that is told."""

from collections.abc import Callable
from typing import Any

import pytest

from app import outcomes
from chalicelib.errors import Permanent
from chalicelib.jobs.sweep import sweep
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus, Status
from chalicelib.providers.base import ServerStatus
from tests.crash.cuts import READS, WRITES, Cuts
from tests.crash.film import Saved, Stage
from tests.crash.stages import Abandoning
from tests.crash.stories import STORIES, create, delete, existing
from tests.crash.story import filmed, open_jobs, play_cut, play_meeting, run_all, watched

pytestmark = pytest.mark.usefixtures("catalog")

Tell = Callable[[str, object], None]
StageOf = Callable[[Any], Any]


def fail_seeding(address: str, command: str) -> None:
    if "/opt/dtrove/seed" in command:
        raise Permanent("disk full")


def test_a_failed_step_and_then_its_event_cut_at_every_point(stage_of: StageOf, record_property: Tell) -> None:
    stage: Stage = stage_of(Stage)
    stage.guests.fail = fail_seeding
    film = filmed(stage, create)
    points = range(film.scenes[-1].passed, len(film.points))
    for at in points:
        play_cut(stage, film, create, at)
        (job,) = Job.scan()
        assert (job.status, "disk full" in str(job.message)) == (JobStatus.FAILED, True)
        assert (existing().status, existing().held_by) == (Status.ERROR, None)
        gone(stage)
    record_property("counted", f"a step that fails, and `outcomes`: cut at {len(points)} points")


@pytest.mark.parametrize("way", ["in error", "silent"])
def test_a_server_that_does_not_come_up_cut_at_every_point_from_its_console_on(
    stage_of: StageOf, way: str, record_property: Tell
) -> None:
    stage: Stage = stage_of(Stage)
    stage.cloud.comes_to = ServerStatus.ERROR if way == "in error" else ServerStatus.ACTIVE
    stage.guests.is_silent = lambda instance: True
    film = filmed(stage, create)
    (told,) = {job.message for job in Job.scan()}
    kept = next(each for each in film.scenes if each.call and each.call[1]["step"] == "KeepConsole")
    points = range(kept.passed, len(film.points))
    for at in points:
        play_cut(stage, film, create, at)
        (job,) = Job.scan()
        assert (job.status, job.message, [each.step for each in job.reached][1:]) == (JobStatus.FAILED, told, [None])
        assert [(each.name, each.text) for each in job.consoles or []] == [
            (existing().instances()[0].name, f"BUILD, then {stage.cloud.comes_to}")
        ]
        assert (existing().status, existing().held_by) == (Status.ERROR, None)
        gone(stage)
    record_property("counted", f"a server that comes up {way}: cut at {len(points)} points")


def stopped(stage: Stage, name: str) -> None:
    """Stop the story's execution in its middle; the event of that is on its way."""
    story = STORIES[name]
    story.begin(stage)
    film = filmed(stage, story.ask)
    stage.are_events_late = True
    play_cut(stage, film, story.ask, len(film.points) // 2)
    assert len(open_jobs()) == len(stage.events) == 1


def swept(stage: Stage) -> None:
    stage.pass_time(minutes=10)
    sweep()


def gone(stage: Stage) -> None:
    """The cluster can be deleted; then nothing is left, and history is true."""
    if not open_jobs():
        delete()
    run_all(stage)
    assert stage.left() == []
    assert {job.status for job in Job.scan()} <= {JobStatus.SUCCEEDED, JobStatus.ABORTED, JobStatus.FAILED}


@pytest.mark.parametrize("name", ["create", "grow"])
def test_an_event_comes_late_at_every_point_of_the_job_after(
    stage_of: StageOf, name: str, record_property: Tell
) -> None:
    """The sweep has closed the job of the one that was stopped, and the customer has asked for something else."""
    stage: Stage = stage_of(Abandoning)
    stopped(stage, name)
    swept(stage)
    film = filmed(stage, delete)
    for at in film.points_of():
        play_meeting(stage, film, stage.deliver, at)
        assert (stage.events, stage.left()) == ([], [])
        assert sorted(job.status for job in Job.scan())[0] == JobStatus.ABORTED
        assert open_jobs() == []
    record_property("counted", f"{name}, stopped, then delete: its event comes late at {len(film.points_of())} points")


def test_while_an_event_is_heard_others_close_the_job_and_the_next_begins(
    stage_of: StageOf, record_property: Tell
) -> None:
    """The second telling of it, or the sweep: in the middle of `outcomes`, before and after each of its calls."""
    stage: Stage = stage_of(Abandoning)
    stopped(stage, "create")
    saved, uncut = Saved.of(stage), Cuts(calls=READS | WRITES)
    (event,) = stage.events
    with watched(stage, uncut):
        stage.deliver()

    for close in (lambda: outcomes(event, None), lambda: swept(stage)):

        def meanwhile(close: Callable[[], object] = close) -> None:
            close()
            stage.pass_time(minutes=10)
            delete()

        for at in range(len(uncut.passed)):
            saved.restore(stage)
            with watched(stage, Cuts(at, meanwhile, READS | WRITES)):
                stage.deliver()
            assert [job.status for job in Job.scan() if job.workflow == "create_cluster"] == [JobStatus.ABORTED]
            assert existing().held_by == open_jobs()[0].job_id
            gone(stage)
    record_property("counted", f"`outcomes`: {2 * len(uncut.passed)} overlaps with another and with the sweep")
