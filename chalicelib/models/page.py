"""Pages of lists: one request each, however large the records are."""

from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from pynamodb.indexes import GlobalSecondaryIndex
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


def sort_key_of(moment: datetime, record_id: str) -> str:
    """Return what sorts records by their time, and those of one time by their ids."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z {record_id}"


def newest_first(
    index: GlobalSecondaryIndex[Any], key: str, project_id: str, limit: int, marker: str | None
) -> tuple[list[Any], str | None]:
    """Return the project's records below the index's key, older than `marker` (a sort_key), and the next page's marker.

    All below one key are of one project: none of another's is returned.
    """
    before: Any = type(index).sort_key < marker if marker else None  # type: ignore[attr-defined]
    found = index.query(key, before, limit=limit + 1, page_size=limit + 1, scan_index_forward=False)
    records, more = one_page(found, limit)
    if records and records[0].project_id != project_id:
        return [], None
    return records, records[-1].sort_key if more else None
