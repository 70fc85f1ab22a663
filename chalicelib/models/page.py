"""Pages of lists: one request each, however large the records are."""

from itertools import islice
from typing import TypeVar

from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

Listed = TypeVar("Listed", bound=Model)


def one_page(results: ResultIterator[Listed], limit: int) -> tuple[list[Listed], bool]:
    """Return at most `limit` records, and whether there are more. Ask with limit + 1.

    DynamoDB answers a request with 1 MB at most: a page of large records is shorter, and no second request is made.
    """
    first = list(islice(results, 1))
    found = first + list(islice(results, results.page_iter.total_scanned_count - len(first)))
    return found[:limit], len(found) > limit or results.page_iter.last_evaluated_key is not None
