"""The service on an invented cloud, on an embedded AWS of its own that denies and writes down: once for all tests."""

from collections.abc import Iterator

import pytest

from local.aws import embedded_aws
from tests.embedded.by_hand import ByHand
from tests.embedded.service import Embedded, served


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    folder = tmp_path_factory.mktemp("embedded")
    with embedded_aws(folder / "aws", auth=True) as aws:
        yield served(aws, folder)


@pytest.fixture(scope="session")
def by_hand(service: Embedded) -> ByHand:
    """A cluster's whole life from the console."""
    return ByHand(service).live()
