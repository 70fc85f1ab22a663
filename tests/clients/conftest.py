"""The service on a port of this process, and the stock clients that call it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib import config
from tests.clients.day import waiting
from tests.clients.serving import serving
from tests.clients.stock import Stock, environment, openstack
from tests.ledger import Ledger
from tests.simulation.service import Simulation

PATIENCE_SECONDS = 30


@pytest.fixture
def endpoint(simulation: Simulation, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where project p1 is served."""
    monkeypatch.setenv("DTROVE_ANSWER_PATIENCE_SECONDS", "5")
    config.current.cache_clear()
    with serving(simulation) as url:
        yield f"{url}/v1.0/p1"
    monkeypatch.undo()
    config.current.cache_clear()


@pytest.fixture
def member(endpoint: str) -> Iterator[Stock]:
    with openstack(environment(endpoint, "member")) as stock:
        yield stock


@pytest.fixture
def admin(endpoint: str) -> Iterator[Stock]:
    with openstack(environment(endpoint, "admin")) as stock:
        yield stock


@pytest.fixture
def await_active(member: Stock) -> Callable[[str, str], Any]:
    return waiting(member, PATIENCE_SECONDS)
