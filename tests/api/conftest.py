"""What tests of the API share."""

import pytest

from tests.api.served import created
from tests.ledger import Ledger
from tests.simulation.service import Simulation


@pytest.fixture
def instance_id(simulation: Simulation, ledger: Ledger) -> str:
    """An instance that serves."""
    return created(simulation)
