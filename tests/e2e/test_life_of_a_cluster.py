"""A cluster's life, each datastore's: ordered, used, grown, stopped, started, shrunk, deleted."""

import pytest

from local.api import Api, ApiError
from tests.e2e.clusters import VERSIONS, Ordered

pytestmark = pytest.mark.guests


@pytest.mark.parametrize("datastore", VERSIONS)
def test_from_order_to_delete(api: Api, datastore: str) -> None:
    cluster = Ordered.by(api, datastore, 2)
    assert cluster.show()["task"]["name"] == "NONE"
    cluster.prove()

    cluster.act("grow", [{"flavorRef": "1", "volume": {"size": 1}}])
    assert len(cluster.instances("replica")) == 2
    cluster.prove()

    cluster.act("restart")
    cluster.prove()

    cluster.act("stop")
    with pytest.raises(Exception):  # noqa: B017, PT011 - each client has its own word for nobody there
        cluster.prove()
    assert cluster.show()["status"] == "STOPPED"
    cluster.act("start")
    cluster.prove()

    cluster.act("rotate_key")
    leaving = cluster.instances("replica")[0]["id"]
    cluster.act("shrink", [{"id": leaving}])
    assert leaving not in [each["id"] for each in cluster.instances()]
    cluster.prove()

    cluster.delete()
    with pytest.raises(ApiError, match="404"):
        cluster.show()


def test_without_volumes_too(api: Api) -> None:
    cluster = Ordered.by(api, "redis", 1, volume_gib=None)

    cluster.prove()

    assert "volume" not in cluster.instances()[0]
    cluster.delete()
