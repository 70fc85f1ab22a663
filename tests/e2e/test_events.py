"""Events of real clusters: whoever subscribes hears of each change, in words that the document has."""

import pytest

from local.api import Api
from local.service import STACK, Service
from tests.e2e.clusters import Ordered
from tests.listener import Listener, endings, statuses

pytestmark = pytest.mark.guests


def test_a_subscriber_hears_of_a_clusters_whole_life(running: Service, api: Api) -> None:
    listener = Listener(running.aws, STACK)

    cluster = Ordered.by(api, "redis", 1, volume_gib=None)
    cluster.act("restart")
    cluster.delete()

    events = listener.hears(cluster.cluster_id, 9)
    assert statuses(events) == ["CREATING", "ACTIVE", "RESTARTING", "ACTIVE", "DELETING", "DELETED"]
    assert endings(events) == dict.fromkeys(("create_cluster", "restart_cluster", "delete_cluster"), "SUCCEEDED")
    assert {each["detail"]["project_id"] for each in events} == {"demo"}
    assert cluster.password not in str(events)
