"""The tiny app as it is deployed, for tests to ask."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.aws import EmbeddedAws

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Tiny:
    """The deployed tiny app."""

    aws: EmbeddedAws
    project: Path  # its sources
    outputs: dict[str, str]
    redeploy: Callable[[], dict[str, str]]

    def get(self, path: str) -> tuple[int, Any]:
        """Ask the API, sending the path as it is given."""
        url = urlsplit(self.outputs["ApiUrl"])
        connection = HTTPConnection(url.netloc)
        try:
            connection.request("GET", url.path + path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def run(self, workflow: str, name: str) -> dict[str, Any]:
        """Start an execution through the API and wait for its end."""
        status, answer = self.get(f"/start/{workflow}/{name}")
        assert status == 200, answer
        states = self.aws.client("stepfunctions")
        ended: dict[str, Any] = until(
            lambda: states.describe_execution(executionArn=answer["arn"]), lambda found: found["status"] != "RUNNING"
        )
        return ended

    def ending_of(self, name: str) -> str:
        """Wait until EventBridge has told of the execution's end, and return how it ended."""
        table, key = self.aws.client("dynamodb"), {"name": {"S": name}}
        found = until(lambda: table.get_item(TableName="tiny-endings", Key=key), lambda got: "Item" in got)
        return str(found["Item"]["status"]["S"])


def until(look: Callable[[], Any], enough: Callable[[Any], bool], seconds: float = PATIENCE_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not enough(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found
