"""An invented cloud, its guests and a ledger, in a file: Lambda's workers are processes of their own and share it so.

Each function that reaches a cloud or a guest has it for itself from beginning to end.
"""

import fcntl
import pickle
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REACHING = ("cloud", "guest", "reads", "sweep_cloud")
SHELVES = ("servers", "volumes", "snapshots", "addresses")  # of the memory provider's cloud
PATIENCE_SECONDS = 30
Function = Callable[[Any, Any], Any]


@dataclass
class State:
    shelves: dict[str, Any] = field(default_factory=dict)
    insides: dict[str, Any] = field(default_factory=dict)  # of servers, by their id
    ledger: dict[str, Any] = field(default_factory=dict)
    polls: int = 0  # how often anything is asked for until it is so
    gate: Path | None = None  # where an effect named `at` waits until it is opened
    at: str = ""

    def trip(self, point: str) -> None:
        """Wait at the gate, if this is its point: who comes there makes a file, and another is waited for."""
        if self.gate is not None and point.startswith(f"before {self.at}"):
            self.gate.with_suffix(".reached").touch()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not self.gate.with_suffix(".open").exists() and time.monotonic() < deadline:
                time.sleep(0.05)


@contextmanager
def held(file: Path) -> Iterator[State]:
    """Open the file for this process alone, and keep what comes of its state."""
    with file.open("r+b") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        text = opened.read()
        state: State = pickle.loads(text) if text else State()  # noqa: S301 - our own
        try:
            yield state
        finally:
            opened.seek(0)
            opened.truncate()
            pickle.dump(state, opened)


def take_over(functions: MutableMapping[str, Any], file: str) -> None:
    """Have those of app.py's functions that would reach a cloud or a guest reach those of the file."""
    for name in REACHING:
        functions[name] = _sharing(functions[name], Path(file))


def _sharing(function: Function, file: Path) -> Function:
    def invoke(event: Any, context: Any) -> Any:
        with held(file) as state, _entered(state):
            return function(event, context)

    return invoke


@contextmanager
def _entered(state: State) -> Iterator[None]:
    """Make the state this process's world, and take back what it became."""
    from chalicelib.providers.memory import CLOUD
    from chalicelib.steps import world
    from tests.ledger import THE_LEDGER
    from tests.simulation.guest import Guests

    vars(CLOUD).update(state.shelves, polls=state.polls, trip=state.trip)
    vars(THE_LEDGER).update(state.ledger)
    guests = Guests(CLOUD, state.polls, trip=state.trip, insides=state.insides)
    world.replace(world.World(connect=_opening_keys(guests.connect)))
    try:
        yield
    finally:
        state.shelves = {name: vars(CLOUD)[name] for name in SHELVES}
        state.insides, state.ledger = guests.insides, vars(THE_LEDGER)


def _opening_keys(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Open the key as SSH would: who may do that is what IAM is asked."""
    from chalicelib import sealing
    from chalicelib.models.key import Key

    def connected(instance: Any, key_id: str) -> Any:
        key = Key.get(key_id, consistent_read=True)
        assert "private" in sealing.unseal(key.cluster_id, key.private)
        return connect(instance, key_id)

    return connected
