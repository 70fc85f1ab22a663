"""Work on a guest that outlives a connection: begun once, asked for until it is done."""

from collections.abc import Callable

from chalicelib import config
from chalicelib.errors import NotReady, Permanent
from chalicelib.ssh.guest import Guest, UnitState

LAST_LINES = 5


def ensure_done(guest: Guest, unit: str, begin: Callable[[], None]) -> None:
    """Return once the unit has succeeded, beginning it if there is none. A reboot loses a unit: it is then begun anew.

    Raises:
        NotReady: it runs.
        Permanent: it failed, with its last lines. It is forgotten, so a new attempt begins it again.
    """
    patience_seconds = config.current().dtrove_patience_seconds
    state = guest.state(unit, wait_seconds=patience_seconds)
    if state is UnitState.NOT_STARTED:
        begin()
        state = guest.state(unit, wait_seconds=patience_seconds)
    if state is UnitState.FAILED:
        reason = last_words(guest, unit)
        guest.forget(unit)
        raise Permanent(reason)
    if state is not UnitState.SUCCEEDED:
        raise NotReady(f"{unit} runs.")


def last_words(guest: Guest, unit: str) -> str:
    """Return the unit's last lines, for people: systemd's own are not among them."""
    lines = [line for line in guest.output(unit).splitlines() if f"{unit}.service" not in line]
    return f"{unit} failed: {' | '.join(lines[-LAST_LINES:])}"
