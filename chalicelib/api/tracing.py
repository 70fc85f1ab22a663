"""Which request a log line is about: API Gateway's own id of it, as the answer's header tells it."""

import json
import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")


def name_request(record: logging.LogRecord) -> bool:
    """A filter that lets all through: it puts the request's id into each line, as a field where that is JSON."""
    message, id_ = record.getMessage(), request_id.get()
    if id_ and id_ not in message:
        is_json = message.startswith("{")
        named = json.dumps({"request_id": id_, **json.loads(message)}) if is_json else f"{id_}: {message}"
        record.msg, record.args = named, ()
    return True
