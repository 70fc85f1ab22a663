"""Lines that functions write: JSON, each with the ids of what it is about. No body, no query, no token, no secret.

with invocation(request_id=…):     of what was known before, nothing is in the lines inside
    about(cluster_id=…)            more is known: from here on each line has it
    tell("request", status=200)
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import extract_tb
from types import TracebackType

SERVICE = "dtrove"
log = logging.getLogger(SERVICE)
_known: ContextVar[dict[str, str] | None] = ContextVar("known", default=None)
OF_PYTHON = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {"message", "asctime", "taskName"}


@contextmanager
def invocation(**ids: str | None) -> Iterator[None]:
    """Begin with these ids alone; afterwards what was known before is known again: tests have one within another."""
    before = _known.set({})
    about(**ids)
    try:
        yield
    finally:
        _known.reset(before)


def about(**ids: str | None) -> None:
    """Have each line from now on tell these ids; None is left out."""
    _known.set({**known(), **{name: id_ for name, id_ in ids.items() if id_}})


def known() -> dict[str, str]:
    return _known.get() or {}


def tell(what: str, level: int = logging.INFO, **fields: object) -> None:
    """Write a line. A field of the same name as an id counts more than the id."""
    log.log(level, what, extra=fields, stacklevel=2)


def tell_defect(what: str, error: BaseException, **fields: object) -> None:
    """Write where an unforeseen error comes from, and not what it says: that may be anything, a password too."""
    said = {"error": type(error).__name__, "at": places(error.__traceback__)}
    log.error(what, extra=said | fields, stacklevel=2)


def places(traceback: TracebackType | None) -> list[str]:
    """Return the lines of code that a traceback leads through, the innermost last."""
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in extract_tb(traceback)]


def name_ids(record: logging.LogRecord) -> bool:
    """A filter that lets all through: it gives each line the ids that are known."""
    for name, id_ in known().items():
        if getattr(record, name, None) is None:
            setattr(record, name, id_)
    return True


class Lines(logging.Formatter):
    """One JSON object a line, with the fields that Powertools' formatter has and without the time that takes to import.

    What the API writes is read together with what the others do: docs/decisions/0020-the-api-writes-its-own-lines.md.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": SERVICE,
        }
        fields = {name: value for name, value in vars(record).items() if name not in OF_PYTHON and value is not None}
        if record.exc_info and record.exc_info[1]:
            line |= {"error": type(record.exc_info[1]).__name__, "at": places(record.exc_info[2])}
        return json.dumps(line | fields, default=str, ensure_ascii=False)


def write_as(formatter: logging.Formatter) -> None:
    """Have all lines of this process, other libraries' too, written by the formatter. Lambda reads them off."""
    root = logging.getLogger()
    if not root.handlers:  # Lambda has one of its own
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        handler.setFormatter(formatter)
        handler.addFilter(name_ids)
    log.addFilter(name_ids)
    log.setLevel(logging.INFO)  # Lambda's own is WARNING: a line for each request would be lost
