"""A story: what a customer asks for, played with one cut somewhere, then set right as the service would by itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from chalicelib.jobs.sweep import sweep
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus
from chalicelib.steps.acting import LONGEST_LAMBDA
from tests.crash.cuts import WRITES, Cuts
from tests.crash.film import Film, Saved, Scene, Stage, outcome_of
from tests.simulation import executions
from tests.simulation.machine import Cut
from tests.simulation.service import Simulation

Ask = Callable[[], object]


@contextmanager
def watched(simulation: Simulation, cuts: Cuts) -> Iterator[None]:
    """Let all effects pass the points."""
    simulation.trip, simulation.revive = cuts.trip, cuts.revive
    with cuts.watching_calls():
        yield
    cuts.is_watching = False
    simulation.trip = lambda point: None


def play(simulation: Simulation, cuts: Cuts, ask: Ask) -> None:
    """Ask, as the API would; carry out; die where the cut says; then let sweep and retries set it right."""
    with watched(simulation, cuts):
        try:
            ask()
        except Cut:
            cuts.revive()
        _recover(simulation, cuts)
        run_all(simulation)


def run_all(simulation: Simulation) -> None:
    for execution in executions.running():
        simulation.run(execution)


def _recover(simulation: Simulation, cuts: Cuts) -> None:
    """A minute later: the sweep starts what was recorded and never began. It may die too, and then runs again."""
    begun = {each.name for each in executions.all_of_them()}
    if any(job.job_id not in begun for job in open_jobs()):
        simulation.pass_time(minutes=2)
        try:
            sweep()
        except Cut:
            cuts.revive()
            sweep()


def filmed(stage: Stage, ask: Ask, calls: frozenset[str] = WRITES) -> Film:
    """Play it uncut, from what there is now, and keep every moment of it."""
    film = stage.film = Film([Scene(Saved.of(stage))], Cuts(calls=calls))
    play(stage, film.cuts, ask)
    stage.film = None
    return film


def play_cut(stage: Stage, film: Film, ask: Ask, at: int) -> None:
    """Play the film anew from shortly before the point, and die there."""
    scene, cuts = film.scene_of(at), film.cuts_at(at)
    scene.saved.restore(stage)
    if scene.call is None:
        play(stage, cuts, ask)
        return
    with watched(stage, cuts):
        stage.go_on(scene)


def play_given_up(stage: Stage, film: Film, at: int, *then: Callable[[], None]) -> None:
    """Play the film anew from shortly before the point, where the Lambda sleeps while all goes on without it.

    It wakes when that and what is asked for `then` has ended. If it slept too long for a Lambda, it is dead.
    """
    scene, cuts = film.scene_of(at), film.cuts_at(at)
    scene.saved.restore(stage)
    assert scene.call is not None

    def meanwhile() -> None:
        asleep_since = stage.hours
        stage.go_on(scene)
        for ask in then:
            ask()
            run_all(stage)
        if stage.hours - asleep_since > LONGEST_LAMBDA:
            raise Cut

    cuts.meanwhile = meanwhile
    with watched(stage, cuts), suppress(Cut):
        outcome_of(scene.call)


def play_meeting(stage: Stage, film: Film, meanwhile: Callable[[], None], at: int) -> None:
    """Play the film anew from shortly before the point; there others act to their end, then it goes on."""
    scene, cuts = film.scene_of(at), film.cuts_at(at)
    scene.saved.restore(stage)
    cuts.meanwhile = meanwhile
    with watched(stage, cuts):
        stage.go_on(scene)


def open_jobs() -> list[Job]:
    return [job for job in Job.scan() if job.status == JobStatus.RUNNING]


def repeat(simulation: Simulation) -> None:
    """Deliver everything once more: the Lambdas, the events, the sweep. Nothing may come of it."""
    for execution in executions.all_of_them():
        simulation.run(execution)
    simulation.pass_time(minutes=2)
    sweep()


def only_cluster() -> Cluster | None:
    clusters = list(Cluster.scan())
    assert len(clusters) <= 1
    return clusters[0] if clusters else None
