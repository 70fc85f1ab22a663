"""Logs as Trove shows them."""

from typing import Any

from chalicelib.api.views.links import View


def log_view(told: dict[str, Any]) -> View:
    """Return a log. Of what is published there is no file about it: `metafile` is empty."""
    return {
        "name": told["name"],
        "type": told["type"],
        "status": status_of(told),
        "published": told["published"],
        "pending": told["pending"],
        "container": told["container"],
        "prefix": told["prefix"],
        "metafile": None,
    }


def status_of(told: dict[str, Any]) -> str:
    """Return Trove's word for how it is."""
    if not told["is_on"]:
        return "Disabled"
    if not told["is_there"]:
        return "Enabled" if told["type"] == "USER" else "Unavailable"
    if not told["published"]:
        return "Ready" if told["pending"] else "Enabled"
    if not told["pending"]:
        return "Published"
    return "Rotated" if told["is_turned"] else "Partial"
