"""A request, checked: who asks, its path values decoded once, its body as JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from chalice.app import Request as ChaliceRequest

from chalicelib import config
from chalicelib.api.auth import Caller, authorized
from chalicelib.errors import BadMediaType, BadRequest, NotFound, OverLimit
from chalicelib.orders.placing import Requester

LONGEST_ID = 255  # characters
JSON = "application/json"


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

    @classmethod
    def checked(cls, raw: ChaliceRequest, path_values: Mapping[str, str], role: str) -> "Request":
        """Raises Unauthorized, Forbidden, NotFound, OverLimit, Unavailable."""
        values = {key: unquote(value) for key, value in path_values.items()}
        for value in values.values():
            if len(value) > LONGEST_ID:
                raise NotFound("The resource could not be found.")
        token, path = raw.headers.get("x-auth-token"), raw_path(raw)
        caller = authorized(token, values["project_id"], role, raw.method, path)
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
        )

    @property
    def requester(self) -> Requester:
        return Requester(self.project_id, self.caller.user)

    @property
    def body(self) -> Any:
        """The body as JSON. Raises BadMediaType, BadRequest."""
        if self.content_type.partition(";")[0].strip().lower() != JSON:
            raise BadMediaType(f"Content type {self.content_type[:LONGEST_ID]} is not supported: send {JSON}.")
        try:
            return json.loads(self.raw_body)
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not valid JSON.") from error

    def page(self) -> tuple[int, str | None]:
        """Return (limit, marker): at most the page size. Raises BadRequest."""
        most = config.current().dtrove_page_size
        text = self.query.get("limit")
        if text is None:
            return most, self.query.get("marker")
        if not re.fullmatch(r"[0-9]{1,9}", text) or not int(text):
            raise BadRequest("limit: must be a whole number above 0")
        return min(int(text), most), self.query.get("marker")

    @property
    def url(self) -> str:
        """The URL that was asked for, without its query."""
        return self.base_url + self.path

    def link(self, *parts: str) -> str:
        return "/".join([self.base_url, "v1.0", self.project_id, *parts])


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
