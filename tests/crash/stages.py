"""Services to which worse happens than one death."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chalicelib.errors import NotReady, Permanent
from tests.crash.cuts import Cuts
from tests.crash.film import Call, Scene, Stage, outcome_of
from tests.crash.story import watched
from tests.simulation.machine import Cut, Stopped


class Abandoning(Stage):
    """A service whose executions an operator stops at the first death: nothing retries."""

    def call(self, resource: str, event: dict[str, Any]) -> Any:
        try:
            return super().call(resource, event)
        except Cut as cut:
            raise Stopped(str(cut)) from cut


class Doubling(Stage):
    """A service in which every Lambda is invoked twice, as at-least-once delivery may."""

    def call(self, resource: str, event: dict[str, Any]) -> Any:
        answer = super().call(resource, event)
        with suppress(Permanent, NotReady):  # the job may be closed by now: what counts is that nothing changes
            assert super().call(resource, event) == answer
        return answer


@dataclass
class Overlapping(Stage):
    """A service in which a Lambda may be invoked a second time in the middle of the first: `overlap` says when.

    Step Functions hears of one of the two; what becomes of the other it does not know.
    With `cuts`, every Lambda meets a second, each at the point of its own that is numbered `nth`.
    """

    is_second_heard: bool = False
    at_work: Call | None = None
    second: Future[Any] | None = None
    overlaps: int = 0
    cuts: Cuts | None = None
    nth: int = 0

    def call(self, resource: str, event: dict[str, Any]) -> Any:
        self.at_work, self.second = (resource, event), None
        if self.cuts:
            self.cuts.at = len(self.cuts.passed) + self.nth
        first = outcome_of(self.at_work)
        self.at_work = None
        return (self.second if self.second and self.is_second_heard else first).result()

    def overlap(self) -> None:
        assert self.at_work is not None
        self.overlaps += 1
        self.second = outcome_of(self.at_work)


def play_meetings(stage: Overlapping, scene: Scene) -> None:
    """Play from the scene to the end; every Lambda meets a second at its own nth point, if it has as many."""
    scene.saved.restore(stage)
    stage.cuts = Cuts(meanwhile=stage.overlap)
    with watched(stage, stage.cuts):
        stage.go_on(scene)
