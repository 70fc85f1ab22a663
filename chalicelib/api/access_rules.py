"""Access rules of application credentials: the requests that such a token may make, as keystonemiddleware reads them.

*, {name}    one or more characters of one part of the path
**           anything, also nothing
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SERVICE_TYPE = "database"  # ours in Keystone's catalog
PARTS = re.compile(r"\*\*|\*|\{[^}]*\}|.", re.DOTALL)


@dataclass(frozen=True)
class AccessRule:
    service: str
    method: str
    path: str

    def allows(self, method: str, path: str) -> bool:
        return self.service == SERVICE_TYPE and self.method == method and matches(self.path, path)


def matches(pattern: str, path: str) -> bool:
    """Tell whether the whole path is of the pattern.

    Its author is a customer, so this is no regular expression: a few `**` would keep one busy for minutes.
    """
    parts = PARTS.findall(pattern)
    places = _with_nothing(parts, {0})  # in the pattern, where the path may have come to
    for character in path:
        places = _with_nothing(parts, {after for place in places for after in _after(parts, place, character)})
    return len(parts) in places


def _after(parts: list[str], place: int, character: str) -> Iterable[int]:
    part = parts[place] if place < len(parts) else ""
    if part == "**":
        return (place,)
    if part == "*" or len(part) > 1:
        return () if character == "/" else (place, place + 1)
    return (place + 1,) if part == character else ()


def _with_nothing(parts: list[str], places: set[int]) -> set[int]:
    """Add the places behind each `**`, which may stand for nothing."""
    for place in sorted(places):
        following = place
        while following < len(parts) and parts[following] == "**":
            following += 1
            places.add(following)
    return places
