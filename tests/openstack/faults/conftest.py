"""A stage for each test, in front of which nothing goes wrong at first."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.openstack.catalog import ADMIN, connected
from tests.openstack.faults.proxy import Proxy
from tests.openstack.faults.stage import Stage


@pytest.fixture
def stage(cloud: None, catalog: None) -> Iterator[Stage]:
    proxy = Proxy()
    with proxy.open():
        stage = Stage(proxy=proxy)
        stage.install()
        try:
            yield stage
        finally:
            print(*stage.log, sep="\n")  # read where a test has failed
            print(*(f"{request.kind}: {told}" for request, told in proxy.passed if request.is_change), sep="\n")
            stage.uninstall()
            stage.remove_all()


@pytest.fixture
def admin(cloud: None) -> Iterator[Any]:
    with connected(ADMIN) as connection:
        yield connection
