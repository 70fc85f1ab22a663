"""The main job on real OpenStack services: clusters of each datastore, through the same API, proven by real clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import demo, service
from local.openstack.ground import OpenStackGround

pytestmark = pytest.mark.openstack
OPENSTACK = "openstack"


@pytest.fixture(scope="module")
def running(cloud: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[service.Service]:
    """The service with its policies enforced. Afterwards nothing of it is left in the cloud."""
    folder: Path = tmp_path_factory.mktemp("service")
    try:
        yield service.up(folder, port=0, auth=True, provider=OPENSTACK)
    finally:
        left = service.down(folder, provider=OPENSTACK)
    assert left == []


def test_clusters_of_each_datastore_serve_follow_and_go(running: service.Service) -> None:
    api = running.api()

    made = [demo.create(api, datastore, version) for datastore, version, _ in service.OFFERED]
    assert {line.split()[0] for line in OpenStackGround().left()} == {"server", "volume", "port", "group"}
    demo.delete_all(api, made)

    assert OpenStackGround().left() == []
    assert demo.records_left(running).startswith("0 clusters, 0 instances, 0 keys")
    assert "AccessDenied" not in running.aws.log.read_text()
