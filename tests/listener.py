"""Somebody who subscribed to all that DTrove tells on the embedded AWS, by a rule and a queue of their own."""

import json
from typing import Any
from uuid import uuid4

from local.aws import EmbeddedAws
from tests.local.deployed import until


class Listener:
    def __init__(self, aws: EmbeddedAws, bus: str) -> None:
        self.sqs, events, name = aws.client("sqs"), aws.client("events"), f"heard-{uuid4()}"
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["dtrove"]}))
        events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        self.heard: list[dict[str, Any]] = []

    def hears(self, cluster_id: str, count: int) -> list[dict[str, Any]]:
        """Wait until that many different events of the cluster have come; what comes twice has the same id."""

        def look() -> list[dict[str, Any]]:
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            for each in answer.get("Messages", []):
                self.heard.append(json.loads(each["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
            of_cluster = [each for each in self.heard if each["detail"]["cluster_id"] == cluster_id]
            return list({each["detail"]["event_id"]: each for each in of_cluster}.values())

        found: list[dict[str, Any]] = until(look, lambda found: len(found) >= count)
        return found


def statuses(events: list[dict[str, Any]]) -> list[str]:
    """Return the cluster's, in their order."""
    told = [each["detail"] for each in events if each["detail-type"] == "DTrove Cluster State Change"]
    return [each["status"] for each in sorted(told, key=lambda each: int(each["revision"]))]


def endings(events: list[dict[str, Any]]) -> dict[str, str]:
    """Return how the jobs ended, by their workflows."""
    told = [each["detail"] for each in events if each["detail-type"] == "DTrove Job Ended"]
    return {each["workflow"]: each["status"] for each in told}
