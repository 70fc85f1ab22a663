"""The whole service with IAM enforcement on, real guests and real databases; beside one that may be up here."""

from collections.abc import Iterator

import pytest

from chalicelib.config import Config
from local import machine, service
from local.api import Api
from local.service import Service
from tests.clients.stock import Stock, environment, openstack
from tests.e2e.keystone_place import Place, served
from tests.keystone.cloud import real_cloud

SITE = {
    "DTROVE_NSPAWN_ROOT": "/var/lib/dtrove/e2e",
    "DTROVE_NSPAWN_IMAGES": f"{Config.dtrove_nspawn_root}/images",
    "DTROVE_NSPAWN_BRIDGE": "dtrovee2e",
    "DTROVE_NSPAWN_NETWORK": "10.79.12.0/24",
    "DTROVE_MAX_INSTANCES": "20",
    "DTROVE_MAX_VOLUMES_GIB": "40",
}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    machine.remove_everything(Config.from_environment(SITE), folder)
    try:
        yield service.up(folder, port=0, auth=True, **SITE)
    finally:
        log = (folder / "aws" / "aws.log").read_text()
        left = service.down(folder, **SITE)
    assert left == []
    assert "AccessDenied" not in log


@pytest.fixture
def api(running: Service) -> Api:
    return running.api()


@pytest.fixture
def member(running: Service) -> Iterator[Stock]:
    """The stock client, with a member's token."""
    api = running.api()
    with openstack(environment(api.url, api.token)) as stock:
        yield stock


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The service in a cloud of its own, behind a real Keystone; with people of one project, and of others."""
    folder = tmp_path_factory.mktemp("service")
    with real_cloud(tmp_path_factory.mktemp("keystone")) as cloud, served(folder, cloud) as place:
        shop = cloud.project()
        for name, project_id, role in (
            *(("member", shop, "member"), ("reader", shop, "reader")),
            *(("admin", cloud.project(), "admin"), ("other", cloud.project(), "member")),
        ):
            place.people[name] = cloud.user(project_id, role)
        yield place
