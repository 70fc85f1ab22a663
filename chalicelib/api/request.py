"""A request, checked: who asks, its path values decoded once, its body as JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

from chalice.app import Request as ChaliceRequest

from chalicelib import config
from chalicelib.api.auth import Caller, authorized
from chalicelib.api.throttle import check_rate
from chalicelib.errors import BadMediaType, BadRequest, NotFound, OverLimit
from chalicelib.models.record import ProjectRecord
from chalicelib.orders.requester import ONCE, Attempt, Requester

Found = TypeVar("Found", bound=ProjectRecord)
LONGEST_ID = 255  # characters
LONGEST_MARKER = 512  # characters: a user's name and host
LARGEST_MARKER = 1_024  # bytes: a sort key of DynamoDB
JSON = "application/json"
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Request:
    caller: Caller
    project_id: str
    values: Mapping[str, str]  # of the path, decoded
    query: Mapping[str, str]
    raw_body: bytes
    content_type: str
    path: str  # from /v1.0 on, as it came
    base_url: str  # scheme, host and stage prefix as served: for links
    idempotency_key: str | None = None
    attempt: Attempt = ONCE

    @classmethod
    def checked(cls, raw: ChaliceRequest, path_values: Mapping[str, str], role: str) -> "Request":
        """Raises Unauthorized, Forbidden, NotFound, OverLimit, Unavailable."""
        path = raw_path(raw)
        values = _decoded(path_values, path)
        token = raw.headers.get("x-auth-token")
        caller = authorized(token, values["project_id"], role, raw.method, path)
        check_rate(str(caller.project_id), raw.method)
        body = raw.raw_body if isinstance(raw.raw_body, bytes) else raw.raw_body.encode()
        if len(body) > (most := config.current().dtrove_max_body_bytes):
            raise OverLimit(f"The body is larger than {most} bytes.")
        return cls(
            caller=caller,
            project_id=values["project_id"],
            values=values,
            query=raw.query_params or {},
            raw_body=body,
            content_type=raw.headers.get("content-type", JSON),
            path=path,
            base_url=base_url(raw),
            idempotency_key=_key(raw) if raw.method == "POST" else None,
        )

    @property
    def requester(self) -> Requester:
        return Requester(self.project_id, self.caller.user, self.attempt)

    def requester_for(self, record: ProjectRecord) -> Requester:
        """Who asks, in the project that the record belongs to: an administrator may act in any."""
        return Requester(record.project_id, self.caller.user, self.attempt)

    def find(self, model: type[Found], key: str) -> Found:
        """Return the record that the path names: the project's, or any for an administrator. Raises NotFound."""
        return self.find_id(model, self.values[key])

    def find_id(self, model: type[Found], record_id: str) -> Found:
        record = model.find(record_id) if len(record_id) <= LONGEST_ID else None
        if (
            record is None
            or record.project_id is None
            or (record.project_id != self.project_id and not self.caller.is_admin)
        ):
            raise NotFound(f"Resource {record_id} cannot be found.")
        return record

    @property
    def body(self) -> Any:
        """The body as JSON. Raises BadMediaType, BadRequest."""
        if self.content_type.partition(";")[0].strip().lower() != JSON:
            raise BadMediaType(f"Content type {self.content_type[:LONGEST_ID]} is not supported: send {JSON}.")
        try:
            return json.loads(self.raw_body)
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not valid JSON.") from error

    def action(self) -> str:
        """Return the name of the one action that the body asks for. Raises BadRequest."""
        body = self.body
        if not isinstance(body, dict) or len(body) != 1:
            raise BadRequest("Validation error: body must be an object with exactly one action")
        return str(next(iter(body)))

    def page(self, most: int | None = None) -> tuple[int, str | None]:
        """Return (limit, marker): at most `most`, or else the page size. Raises BadRequest."""
        most = most or config.current().dtrove_page_size
        text, marker = self.query.get("limit"), self.query.get("marker")
        if marker is not None and (len(marker) > LONGEST_MARKER or len(marker.encode()) > LARGEST_MARKER):
            raise BadRequest(f"marker: is longer than {LONGEST_MARKER} characters or {LARGEST_MARKER} bytes")
        if text is None:
            return most, marker
        if not re.fullmatch(r"[0-9]{1,100}", text) or not int(text):
            raise BadRequest("limit: must be a whole number above 0")
        return min(int(text), most), marker

    def asked_id(self, key: str) -> str | None:
        """Return the id that the query gives under that name, if it does. Raises BadRequest."""
        asked = self.query.get(key)
        if asked and len(asked) > LONGEST_ID:
            raise BadRequest(f"{key}: is longer than {LONGEST_ID} characters")
        return asked or None

    @property
    def with_members(self) -> bool:
        """Whether a list of instances shall show members of clusters too: only `true` counts, in any case."""
        return self.query.get("include_clustered", "").lower() == "true"

    @property
    def url(self) -> str:
        """The URL that was asked for, without its query."""
        return self.base_url + self.path

    def link(self, *parts: str) -> str:
        return "/".join([self.base_url, "v1.0", self.project_id, *parts])


def _decoded(path_values: Mapping[str, str], path: str) -> dict[str, str]:
    """Decode each path value, once. Raises NotFound for what can be nothing's name.

    Clients fold `/databases/..` into `/`: what is left must not be taken for a call that it was never meant to be.
    """
    nothing = NotFound("The resource could not be found.")
    try:
        values = {key: unquote(value, errors="strict") for key, value in path_values.items()}
    except UnicodeDecodeError as error:
        raise nothing from error
    if path.endswith("/") or any(value in {".", ".."} or len(value) > LONGEST_ID for value in values.values()):
        raise nothing
    return values


def _key(raw: ChaliceRequest) -> str | None:
    """Return the request's Idempotency-Key, if it has one. Raises BadRequest."""
    key = raw.headers.get("idempotency-key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest("Idempotency-Key: must be 1 to 255 printable ASCII characters")
    return key


def base_url(raw: ChaliceRequest) -> str:
    """Return what clients put before /v1.0. The stage is part of API Gateway's path, unless a domain name hides it.

    A proxy in front may say so itself: `X-Forwarded-Proto`, `X-Forwarded-Prefix`. Only links to follow are made of it.
    """
    scheme = raw.headers.get("x-forwarded-proto", "https")
    host = raw.headers.get("host", "localhost")
    served = str(raw.context.get("path") or raw.path)
    prefix = raw.headers.get("x-forwarded-prefix") or served.partition("/v1.0")[0].rstrip("/")
    return f"{scheme}://{host}{prefix}"


def raw_path(raw: ChaliceRequest) -> str:
    served = str(raw.context.get("path") or raw.path)
    return served[served.find("/v1.0") :]
