"""What an operation may answer when not all goes well, and in which envelope."""

from chalicelib.api.openapi.operation import Operation
from chalicelib.api.openapi.shapes import NUMBER, TEXT, Schema, one_of, shown
from chalicelib.errors import ServiceError

MEANINGS = {
    400: "The request is wrong; the message names the field.",
    401: "There is no valid token, or it is not an administrator's.",
    403: "The token's role does not allow it.",
    404: "It is not there, or another project's.",
    409: "A request with this Idempotency-Key is still being answered.",
    413: "It is more than the quota, the size of a body or the rate of requests allows.",
    415: "The body is not JSON by its content type.",
    422: "What it is about is busy, the datastore refuses it, or its Idempotency-Key was another request's.",
    501: "The datastore, or a member of a cluster, has no such thing.",
    503: "The service or the database server cannot be asked now.",
    504: "The answer took too long; what was asked for may have been done.",
}
NAMES = {each.status: each.name for each in ServiceError.__subclasses__()} | {504: "gatewayTimeout"}
RETRY_AFTER = (413,)
OPEN = (413, 503, 504)  # whoever asks for whatever
ALWAYS = (401, 403, 404, *OPEN)

ERROR: Schema = {
    "type": "object",
    "propertyNames": one_of(NAMES[each] for each in MEANINGS),
    "additionalProperties": shown({"code": one_of(MEANINGS), "message": TEXT, "retryAfter?": NUMBER}),
    "minProperties": 1,
    "maxProperties": 1,
}


def refusals_of(method: str, operation: Operation) -> list[int]:
    if operation.is_open:
        return list(OPEN)
    writes, reads_body = method != "GET", operation.body is not None
    found = {
        *ALWAYS,
        *((400,) if writes or operation.query else ()),
        *((409,) if method == "POST" else ()),
        *((415,) if reads_body else ()),
        *((422,) if writes or operation.asks_guest else ()),
        *((501,) if operation.may_be_unsupported else ()),
    }
    return sorted(found)
