"""What failed to the last try waits in a queue, with its error."""

import json
from typing import Any

import pytest

from tests.embedded.policies import without
from tests.embedded.service import PATIENCE_SECONDS, Embedded
from tests.local.deployed import until

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("embedded")]


def test_a_sweep_that_failed_is_kept(service: Embedded) -> None:
    queue = service.aws.client("sqs")
    sweep = {"FunctionName": service.outputs["SweepFunction"], "InvocationType": "Event"}

    def letters() -> list[dict[str, Any]]:
        found = queue.receive_message(QueueUrl=service.outputs["DeadLetters"], WaitTimeSeconds=1)
        return [json.loads(each["Body"]) for each in found.get("Messages", [])]

    with without(service, "Sweep", "ListOpenJobs"):
        service.aws.client("lambda").invoke(**sweep, Payload=b"{}")
        (letter,) = until(letters, bool, PATIENCE_SECONDS)

    assert "Sweep" in letter["requestContext"]["functionArn"]
    assert "AccessDenied" in json.dumps(letter["responsePayload"])
