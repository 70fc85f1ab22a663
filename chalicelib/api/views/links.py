"""What all views share: dates and links as Trove writes them."""

from datetime import datetime
from typing import Any

from chalicelib.api.request import Request

View = dict[str, Any]


def when(moment: datetime | None) -> str | None:
    """Trove's dates: UTC without a zone, in whole seconds."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}" if moment else None


def links(request: Request, collection: str, id_: str) -> list[View]:
    return [
        {"href": request.link(collection, id_), "rel": "self"},
        {"href": f"{request.base_url}/{collection}/{id_}", "rel": "bookmark"},
    ]
