"""Events on the embedded AWS: whoever subscribes hears what becomes of a cluster, even if the cloud has none for it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import service
from local.api import Api
from local.aws import EmbeddedAws, embedded_aws
from local.callers import embedded_settings, tokens_in, url_of
from local.deploy import Target, deploy
from tests.local.deployed import until
from tests.local.test_template import all_of

pytestmark = pytest.mark.aws
ORDER = {"cluster": {"name": "c", "datastore": {"type": "redis"}, "size": 1, "flavorRef": "1", "volume": {"size": 1}}}
CHANGED, ENDED = "DTrove Cluster State Change", "DTrove Job Ended"


class Listener:
    """Somebody who subscribed to all that DTrove tells, by a rule and a queue of their own."""

    def __init__(self, aws: EmbeddedAws, bus: str) -> None:
        self.sqs, events = aws.client("sqs"), aws.client("events")
        self.queue = self.sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["dtrove"]}))
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        self.heard: list[dict[str, Any]] = []

    def hears(self, count: int) -> list[dict[str, Any]]:
        """Wait until that many different events have come; what comes twice has the same id."""

        def look() -> list[dict[str, Any]]:
            answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
            for each in answer.get("Messages", []):
                self.heard.append(json.loads(each["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
            return list({each["detail"]["event_id"]: each for each in self.heard}.values())

        found: list[dict[str, Any]] = until(look, lambda found: len(found) >= count)
        return found


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedAws, dict[str, str], str]]:
    """The service, its policies enforced, with a cloud that is forgotten with each worker and has no image."""
    folder: Path = tmp_path_factory.mktemp("events")
    with embedded_aws(folder / "aws", auth=True) as aws:
        tokens = tokens_in(folder)
        settings = embedded_settings(tokens) | {"DTROVE_PROVIDER": "memory"}
        given = deploy(Target.embedded(aws.endpoint), settings=settings, parameters={"Schedules": "DISABLED"})
        service.offer(aws, "an-image-that-is-not-there")
        aws.client("lambda").invoke(FunctionName=given["SweepCloudFunction"], Payload=b"{}")  # copies the flavors
        yield aws, given, tokens["DTROVE_TOKEN"]
        Path("/tmp/watch-aws.log").write_text(aws.log.read_text())
        assert "AccessDenied" not in aws.log.read_text()


def test_a_subscriber_hears_of_a_create_and_of_a_delete(outputs: tuple[EmbeddedAws, dict[str, str], str]) -> None:
    aws, given, token = outputs
    listener, api = Listener(aws, given["EventBus"]), Api(url_of("DTROVE_TOKEN", given["ApiUrl"]), token)

    cluster = api.post("/clusters", ORDER)["cluster"]
    events = listener.hears(3)

    of_cluster = [each["detail"] for each in events if each["detail-type"] == CHANGED]
    (ending,) = [each["detail"] for each in events if each["detail-type"] == ENDED]
    assert [(each["previous_status"], each["status"]) for each in of_cluster] == [
        (None, "CREATING"),
        ("CREATING", "ERROR"),
    ]
    assert (ending["workflow"], ending["status"], ending["job_id"]) == ("create_cluster", "FAILED", cluster["job_id"])
    assert {each["detail"]["cluster_id"] for each in events} == {cluster["id"]}

    api.delete(f"/clusters/{cluster['id']}")
    events = listener.hears(6)

    of_cluster = [each["detail"] for each in events if each["detail-type"] == CHANGED][2:]
    assert [each["status"] for each in of_cluster] == ["DELETING", "DELETED"]
    assert [each["detail"]["status"] for each in events if each["detail-type"] == ENDED] == ["FAILED", "SUCCEEDED"]
    assert {each["source"] for each in events} == {"dtrove"}


def test_alarms_and_the_dashboard_are_there(outputs: tuple[EmbeddedAws, dict[str, str], str]) -> None:
    cloudwatch = outputs[0].client("cloudwatch")

    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    names = {each["AlarmName"] for page in pages for each in page["MetricAlarms"]}
    body = json.loads(cloudwatch.get_dashboard(DashboardName="dtrove")["DashboardBody"])

    assert {name.split("-")[1] for name in names} == set(all_of("AWS::CloudWatch::Alarm"))
    assert "${" not in json.dumps(body)
