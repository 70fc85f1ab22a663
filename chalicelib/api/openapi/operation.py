"""Operation: what a route takes and answers, beside what all have in common."""

from dataclasses import dataclass, field

from chalicelib.api.openapi.shapes import TEXT, Schema
from chalicelib.api.request import JSON, LONGEST_ID, LONGEST_MARKER

QUERIES: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 10**100 - 1},
    "marker": TEXT | {"maxLength": LONGEST_MARKER},
    "include_clustered": TEXT | {"description": "`true` shows members of clusters too."},
    "project_id": TEXT | {"maxLength": LONGEST_ID, "description": "Of this project only."},
    "name": TEXT | {"description": "The one of this name only."},
    "deleted": TEXT | {"description": "`true` asks for what was deleted: nothing of it is kept."},
    "cluster_id": TEXT | {"maxLength": LONGEST_ID},
    "instance_id": TEXT,
    "datastore": TEXT
    | {"maxLength": LONGEST_ID, "description": "Of this datastore only: its name, or a version's id."},
    "lines": {"type": "integer", "minimum": 1, "maximum": 1_000},
}
PAGED = ("limit", "marker")


@dataclass(frozen=True)
class Operation:
    """What a route takes, and what it answers when all goes well: what else it may answer follows from that."""

    answer: Schema | None = None  # None: nothing
    status: int = 200
    also: dict[int, Schema] = field(default_factory=dict)  # what it answers with another status
    body: Schema | None = None
    may_lack_body: bool = False
    media: str = JSON  # of the answer
    query: tuple[str, ...] = ()
    starts_job: bool = False  # which a header names
    asks_guest: bool = False
    may_be_unsupported: bool = False  # 501: by the datastore, or of a cluster's member
    name: str = ""  # of a view that serves several routes; else the view's own
    is_open: bool = False  # to those who have no token


@dataclass(frozen=True)
class Noun:
    """The operations and schemas of one kind of thing."""

    tag: str
    operations: dict[str, Operation]  # by route
    schemas: dict[str, Schema] = field(default_factory=dict)
