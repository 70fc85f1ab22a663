"""Who asks for something, and what of it must come out the same if they ask again."""

from dataclasses import dataclass, field

from chalicelib.orders.secrets import Draw, draw


@dataclass(frozen=True)
class Attempt:
    """At what somebody asks for. Of one that may have been made before, all that was drawn is drawn the same again."""

    job_id: str = ""  # of the one job that is asked for; the ids of what it makes follow from it. "": a new one each
    draw: Draw = field(default=draw, repr=False)  # of passwords
    is_repeated: bool = False  # whether the one before was carried out is not known


ONCE = Attempt()


@dataclass(frozen=True)
class Requester:
    project_id: str
    user: str  # a user's name, or "console"
    attempt: Attempt = ONCE
