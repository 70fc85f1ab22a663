"""A small client of the REST API, for the demo, the tests and the benchmarks."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class ApiError(Exception):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


@dataclass(frozen=True)
class Api:
    url: str  # ends in /v1.0/<project>
    token: str

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer's JSON, None if it is empty. Raises ApiError."""
        headers = {"X-Auth-Token": self.token, "Content-Type": "application/json", "Accept": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own service
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310
                text = answer.read()
        except HTTPError as error:
            raise ApiError(error.code, _parsed(error.read())) from error
        return _parsed(text)

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Any:
        return self.send("POST", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def await_job(self, job_id: str, seen: Callable[[Any], None] = lambda job: None, seconds: float = 600) -> Any:
        """Return the job once it has ended, showing it to `seen` meanwhile. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            job = self.get(f"/jobs/{job_id}")["job"]
            seen(job)
            if job["status"] != "RUNNING":
                return job
            time.sleep(0.2)
        raise TimeoutError(f"job {job_id} has not ended after {seconds} s")

    def newest_job(self, cluster_id: str) -> Any:
        return self.get(f"/jobs?limit=1&cluster_id={cluster_id}")["jobs"][0]


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text.decode(errors="replace")
