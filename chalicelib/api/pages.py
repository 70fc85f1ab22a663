"""Pages of lists: Trove's `links` with a `next` link, and gophercloud's name for the same."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api.request import Request


def page(request: Request, noun: str, items: list[Any], next_marker: str | None) -> Response:
    """Answer a page; the links are absent from the last one."""
    body: dict[str, Any] = {noun: items}
    if next_marker is not None:
        query = {**request.query, "limit": str(request.page()[0]), "marker": next_marker}
        body["links"] = [{"rel": "next", "href": f"{request.url}?{urlencode(query)}"}]
        body[f"{noun}_links"] = body["links"]
    return Response(body)


def page_of(request: Request, noun: str, whole: Sequence[tuple[str, Any]]) -> Response:
    """Answer a page of (marker, item) pairs that are all known, in the order of their markers."""
    limit, marker = request.page()
    left = [(mark, item) for mark, item in sorted(whole, key=itemgetter(0)) if marker is None or mark > marker]
    return page(request, noun, [item for _, item in left[:limit]], left[limit - 1][0] if len(left) > limit else None)
