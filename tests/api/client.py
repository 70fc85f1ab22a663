"""A caller of the API: sends requests to the app in process, as one of the test tokens.

What comes back is checked against the OpenAPI document, whatever the test is about.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.test import Client

from app import app
from tests import promises


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class ApiCaller:
    token: str | None = "member"
    project_id: str = "p1"

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        media: str = "application/json",
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        headers = {"Content-Type": media, "Host": "db.example", **(more or {})}
        if self.token:
            headers["X-Auth-Token"] = self.token
        payload = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        url = f"/v1.0/{self.project_id}{path}"
        with Client(app) as client:
            answer = client.http.request(method, url, headers=headers, body=payload)
        answered = json.loads(answer.body) if answer.body else None
        asked = as_json(payload) if payload else None
        promises.check(method, url, asked, answer.status_code, answer.headers, answered)
        return Answer(answer.status_code, answered, answer.headers)

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Answer:
        return self.send("POST", path, body)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)


def as_json(payload: bytes) -> Any:
    """Return what is sent; what is no JSON as a text, which no operation takes."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return "no JSON"
