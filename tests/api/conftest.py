"""What tests of the API share."""

from collections.abc import Iterator

import pytest

from app import reads
from chalicelib.api import guests
from chalicelib.models.datastore import Datastore, version_id_of
from tests.ledger import THE_LEDGER, Ledger


@pytest.fixture
def ledger(catalog: None) -> Iterator[Ledger]:
    """An empty ledger, on offer as `ledger` 1, whose reads are answered in this process."""
    Datastore(
        version_id=version_id_of("ledger", "1"),
        datastore_id="ledger",
        datastore="ledger",
        version="1",
        manager="tests.ledger.LedgerManager",
        image="debian-12",
        packages=["redis-server"],
        is_default=True,
    ).add()
    THE_LEDGER.__dict__.update(vars(Ledger()))
    guests.ask_through(lambda event: reads(event, None))
    yield THE_LEDGER
    guests.ask_through(guests.invoke)
