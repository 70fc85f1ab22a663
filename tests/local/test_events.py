"""Events on the embedded AWS: whoever subscribes hears what becomes of a cluster, even if the cloud has none for it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import service
from local.api import Api
from local.aws import EmbeddedAws, embedded_aws
from local.callers import embedded_settings, tokens_in, url_of
from local.deploy import deploy
from local.target import Target
from tests.listener import Listener, endings, statuses
from tests.local.test_template import all_of

pytestmark = pytest.mark.aws
ORDER = {"cluster": {"name": "c", "datastore": {"type": "redis"}, "size": 1, "flavorRef": "1", "volume": {"size": 1}}}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedAws, dict[str, str], str]]:
    """The service, its policies enforced, with a cloud that is forgotten with each worker and has no image."""
    folder: Path = tmp_path_factory.mktemp("events")
    with embedded_aws(folder / "aws", auth=True) as aws:
        tokens = tokens_in(folder)
        settings = embedded_settings(tokens) | {"DTROVE_PROVIDER": "memory", "SCHEDULES": "DISABLED"}
        given = deploy(Target.embedded(aws.endpoint), settings=settings)
        service.offer(aws, "an-image-that-is-not-there")
        aws.client("lambda").invoke(FunctionName=given["SweepCloudFunction"], Payload=b"{}")  # copies the flavors
        yield aws, given, tokens["DTROVE_TOKEN"]
        assert "AccessDenied" not in aws.log.read_text()


def test_a_subscriber_hears_of_a_create_and_of_a_delete(outputs: tuple[EmbeddedAws, dict[str, str], str]) -> None:
    aws, given, token = outputs
    listener, api = Listener(aws, given["EventBus"]), Api(url_of("DTROVE_TOKEN", given["ApiUrl"]), token)

    cluster = api.post("/clusters", ORDER)["cluster"]
    events = listener.hears(cluster["id"], 3)
    assert statuses(events) == ["CREATING", "ERROR"]
    assert endings(events) == {"create_cluster": "FAILED"}

    api.delete(f"/clusters/{cluster['id']}")
    events = listener.hears(cluster["id"], 6)
    assert statuses(events) == ["CREATING", "ERROR", "DELETING", "DELETED"]
    assert endings(events) == {"create_cluster": "FAILED", "delete_cluster": "SUCCEEDED"}


def test_alarms_and_the_dashboard_are_there(outputs: tuple[EmbeddedAws, dict[str, str], str]) -> None:
    cloudwatch = outputs[0].client("cloudwatch")

    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    names = {each["AlarmName"] for page in pages for each in page["MetricAlarms"]}
    body = json.loads(cloudwatch.get_dashboard(DashboardName="dtrove")["DashboardBody"])

    assert {name.split("-")[1] for name in names} == set(all_of("AWS::CloudWatch::Alarm"))
    assert "${" not in json.dumps(body)
