"""Events on the embedded AWS: whoever subscribes hears what becomes of a cluster, if not at once then later."""

import json
import time

import pytest

from tests.embedded.policies import without
from tests.embedded.service import Embedded
from tests.embedded.tour import ORDER, ends, leave
from tests.listener import Listener, endings, statuses
from tests.local.test_template import all_of

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("embedded")]
LIFE = ["CREATING", "ACTIVE", "DELETING", "DELETED"]
JOBS = {"create_cluster": "SUCCEEDED", "delete_cluster": "SUCCEEDED"}


def lived(service: Embedded) -> str:
    """Order a cluster and delete it; return its id."""
    api = service.api()
    made = api.post("/clusters", {"cluster": ORDER | {"name": "told", "size": 1}})["cluster"]
    ends(api, made["job_id"])
    leave(api, made["id"])
    return str(made["id"])


def test_a_subscriber_hears_of_a_clusters_whole_life(service: Embedded) -> None:
    listener = Listener(service.aws, service.outputs["EventBus"])

    events = listener.hears(lived(service), 6)

    assert (statuses(events), endings(events)) == (LIFE, JOBS)
    assert {each["source"] for each in events} == {"dtrove"}


def test_what_could_not_be_told_is_told_as_soon_as_it_can_be(service: Embedded) -> None:
    listener = Listener(service.aws, service.outputs["EventBus"])

    with without(service, "Announce", "TellOfThem"):
        cluster_id = lived(service)
        time.sleep(2)  # for Lambda to try in vain
        assert listener.hears(cluster_id, 0) == []

    events = listener.hears(cluster_id, 6)
    assert (statuses(events), endings(events)) == (LIFE, JOBS)


def test_what_failed_is_told_too(service: Embedded) -> None:
    listener, api = Listener(service.aws, service.outputs["EventBus"]), service.api()
    version = {"datastore_name": "redis", "name": "8", "datastore_manager": "redis", "image": "none", "packages": []}
    service.api("DTROVE_ADMIN_TOKEN").post("/mgmt/datastore-versions", {"version": version | {"active": True}})
    order = ORDER | {"name": "fails", "size": 1, "datastore": {"type": "redis", "version": "8"}}

    made = api.post("/clusters", {"cluster": order})["cluster"]
    api.await_job(made["job_id"], seconds=120)
    leave(api, made["id"])

    events = listener.hears(made["id"], 6)
    assert statuses(events) == ["CREATING", "ERROR", "DELETING", "DELETED"]
    assert endings(events) == JOBS | {"create_cluster": "FAILED"}


def test_alarms_and_the_dashboard_are_there(service: Embedded) -> None:
    cloudwatch = service.aws.client("cloudwatch")

    pages = cloudwatch.get_paginator("describe_alarms").paginate()
    names = {each["AlarmName"] for page in pages for each in page["MetricAlarms"]}
    body = json.loads(cloudwatch.get_dashboard(DashboardName="dtrove")["DashboardBody"])

    assert {name.split("-")[1] for name in names} == set(all_of("AWS::CloudWatch::Alarm"))
    assert "${" not in json.dumps(body)
