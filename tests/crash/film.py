"""A film: a story played once uncut, with all there was whenever a Lambda was invoked: it can go on from there."""

import copy
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from tests.conftest import ACCOUNT, REGION, SETTINGS
from tests.crash.cuts import Cuts
from tests.simulation import executions
from tests.simulation.machine import Invoke
from tests.simulation.service import FUNCTIONS, Simulation

SHELVES = ("servers", "volumes", "snapshots", "addresses")
Call = tuple[str, dict[str, Any]]  # a Lambda and its event


@dataclass
class Saved:
    """Everything there is, to begin again from."""

    tables: dict[str, Any]
    executions: dict[str, Any]
    insides: Any
    cloud: dict[str, Any]
    events: list[dict[str, Any]]
    hours: timedelta
    shelf: dict[str, bytes]
    uploads: dict[str, Any]

    @classmethod
    def of(cls, simulation: Simulation) -> "Saved":
        tables = {name: copy.deepcopy(table.items) for name, table in _tables().items()}
        begun = {machine.name: copy.deepcopy(machine.executions) for machine in executions.machines()}
        cloud = {shelf: copy.deepcopy(getattr(simulation.cloud, shelf)) for shelf in SHELVES}
        insides = copy.deepcopy(simulation.guests.insides)
        return cls(tables, begun, insides, cloud, list(simulation.events), simulation.hours, on_shelf(), uploads())

    def restore(self, simulation: Simulation) -> None:
        for name, table in _tables().items():
            table.items = copy.deepcopy(self.tables[name])
        for machine in executions.machines():
            machine.executions = copy.deepcopy(self.executions[machine.name])
        for shelf in SHELVES:
            setattr(simulation.cloud, shelf, copy.deepcopy(self.cloud[shelf]))
        simulation.guests.insides, simulation.guests.publics = copy.deepcopy(self.insides), {}
        simulation.events, simulation.hours = list(self.events), self.hours
        _keys().clear()
        for key, text in self.shelf.items():
            s3_backends[ACCOUNT]["aws"].put_object(SETTINGS["DTROVE_BUCKET"], key, text)
        _bucket().multiparts.clear()
        _bucket().multiparts.update(copy.deepcopy(self.uploads))


def on_shelf() -> dict[str, bytes]:
    """Return what was published, by key."""
    return {name: key.value for name, key in sorted(_keys().items())}


def uploads() -> dict[str, Any]:
    """Return the uploads that are not over."""
    return copy.deepcopy(dict(_bucket().multiparts))


def _keys() -> Any:
    return _bucket().keys


def _bucket() -> Any:
    return s3_backends[ACCOUNT]["aws"].buckets[SETTINGS["DTROVE_BUCKET"]]


def _tables() -> Any:
    return dynamodb_backends[ACCOUNT][REGION].tables


@dataclass
class Scene:
    """The moment a Lambda was invoked; the first scene is the one before anything was asked for, and has no call."""

    saved: Saved
    passed: int = 0  # points
    answers: list[Future[Any]] = field(default_factory=list)  # of the Lambdas before
    call: Call | None = None


@dataclass
class Film:
    scenes: list[Scene] = field(default_factory=list)
    cuts: Cuts = field(default_factory=Cuts)
    answers: list[Future[Any]] = field(default_factory=list)

    @property
    def points(self) -> list[str]:
        return self.cuts.passed

    def points_of(self, *functions: str) -> list[int]:
        """Return the numbers of the points that these Lambdas pass; without names, of any."""
        calls = [(at, self.scene_of(at).call) for at in range(len(self.points))]
        return [at for at, call in calls if call and (call[0] in functions or not functions)]

    def scene_of(self, at: int) -> Scene:
        return next(scene for scene in reversed(self.scenes) if scene.passed <= at)

    def cuts_at(self, at: int) -> Cuts:
        return Cuts(at, calls=self.cuts.calls, passed=self.points[: self.scene_of(at).passed])


@dataclass
class Stage(Simulation):
    """A service that can be filmed, and that goes on from a scene: what was answered before is not asked again."""

    film: Film | None = None  # while it is being made
    answered: list[Future[Any]] = field(default_factory=list)

    def invoke(self, resource: str, event: dict[str, Any]) -> Any:
        if self.answered:
            return self.answered.pop(0).result()
        if self.film is None:
            return self.call(resource, event)
        film = self.film
        film.scenes.append(Scene(Saved.of(self), len(film.points), list(film.answers), (resource, event)))
        film.answers.append(outcome_of((resource, event), self.call))
        return film.answers[-1].result()

    def call(self, resource: str, event: dict[str, Any]) -> Any:
        """Invoke the Lambda; for others to do worse."""
        return super().invoke(resource, event)

    def go_on(self, scene: Scene) -> None:
        """Run the scene's execution from the scene to its end."""
        assert scene.call is not None
        arn = scene.call[1]["execution"]["Id"]
        self.answered = list(scene.answers)
        self.run(next(each for each in executions.all_of_them() if each.execution_arn == arn))


def outcome_of(call: Call, invoke: Invoke = lambda resource, event: FUNCTIONS[resource](event, None)) -> Future[Any]:
    """Invoke the Lambda to its end or to its error."""
    outcome = Future[Any]()
    try:
        outcome.set_result(invoke(*call))
    except Exception as error:  # what it may raise is for Step Functions to judge
        outcome.set_exception(error)
    return outcome
