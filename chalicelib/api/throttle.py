"""Throttling: each project may ask so often a minute, reads and writes apart.

The count is DynamoDB's, so it holds over all workers. A worker takes several at once, and lets those in without asking
again: a project at its limit may so be refused up to a share of each idle worker too early, never let in too late.
"""

from dataclasses import dataclass
from datetime import datetime

from chalicelib import config
from chalicelib.errors import TooMany
from chalicelib.models.rate import take, taken_in, window_of
from chalicelib.models.record import now

SHARES = 20  # a worker takes a twentieth of the limit at once, and 10 at most
MOST_AT_ONCE = 10
MINUTE_SECONDS = 60


@dataclass
class Share:
    """What this worker may still let in, in a window."""

    window: str
    left: int = 0
    is_used_up: bool = False  # all of the project's: known until the window is over


_shares: dict[tuple[str, str], Share] = {}


def check_rate(project_id: str, method: str) -> None:
    """Count a request. Raises TooMany, telling when the next minute begins."""
    kind, moment = kind_of(method), now()
    if (limit := limit_of(kind)) < 0:
        return
    share = _share_of(project_id, kind, moment)
    if not share.left and not share.is_used_up:
        requests = min(limit, max(1, min(MOST_AT_ONCE, limit // SHARES)))
        share.left = requests if requests and take(share.window, requests, limit) else 0
        share.is_used_up = not share.left
    if share.is_used_up:
        seconds = MINUTE_SECONDS - moment.second
        raise TooMany(f"More than {limit} {kind} a minute; try again in {seconds} seconds.", seconds)
    share.left -= 1


def kind_of(method: str) -> str:
    return "reads" if method in {"GET", "HEAD"} else "writes"


def limit_of(kind: str) -> int:
    """Return how many a minute; -1 is no limit."""
    settings = config.current()
    return settings.dtrove_reads_per_minute if kind == "reads" else settings.dtrove_writes_per_minute


def left_of(project_id: str, kind: str) -> int:
    return max(0, limit_of(kind) - taken_in(window_of(project_id, kind, now())))


def _share_of(project_id: str, kind: str, moment: datetime) -> Share:
    window = window_of(project_id, kind, moment)
    share = _shares.get((project_id, kind))
    if share is None or share.window != window:
        share = _shares[project_id, kind] = Share(window)
    return share
