"""An invented cloud, its guests and a ledger, in a file: Lambda's workers are processes of their own and share it so.

Each function that reaches a cloud or a guest has it for itself from beginning to end.
"""

import fcntl
import pickle
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REACHING = ("cloud", "guest", "reads", "sweep_cloud")
SHELVES = ("servers", "volumes", "snapshots", "addresses")  # of the memory provider's cloud
Function = Callable[[Any, Any], Any]


def take_over(functions: MutableMapping[str, Any], file: str) -> None:
    """Have those of app.py's functions that would reach a cloud or a guest reach those of the file."""
    for name in REACHING:
        functions[name] = _sharing(functions[name], Path(file))


def _sharing(function: Function, file: Path) -> Function:
    def invoke(event: Any, context: Any) -> Any:
        with opened(file):
            return function(event, context)

    return invoke


@contextmanager
def opened(file: Path) -> Iterator[None]:
    """Make what is in the file this process's world for the length of the block, and keep what came of it."""
    from chalicelib.providers.memory import CLOUD
    from chalicelib.steps import world
    from tests.ledger import THE_LEDGER
    from tests.simulation.guest import Guests

    guests = Guests(CLOUD)
    with file.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if text := held.read():
            shelves, guests.insides, ledger = pickle.loads(text)  # noqa: S301 - our own
            vars(CLOUD).update(shelves)
            vars(THE_LEDGER).update(ledger)
        world.replace(world.World(connect=_opening_keys(guests.connect)))
        try:
            yield
        finally:
            held.seek(0)
            held.truncate()
            pickle.dump(({name: vars(CLOUD)[name] for name in SHELVES}, guests.insides, vars(THE_LEDGER)), held)


def _opening_keys(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Open the key as SSH would: who may do that is what IAM is asked."""
    from chalicelib import sealing
    from chalicelib.models.key import Key

    def connected(instance: Any, key_id: str) -> Any:
        key = Key.get(key_id, consistent_read=True)
        assert "private" in sealing.unseal(key.cluster_id, key.private)
        return connect(instance, key_id)

    return connected
