"""Sizes and times as PostgreSQL writes them: 64MB, 5min, or a bare number of the parameter's own unit, such as 8kB."""

import re
from fractions import Fraction

BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
MICROSECONDS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}
UNIT = re.compile(r"([0-9]*)([A-Za-z]+)", re.ASCII)
QUANTITY = re.compile(r"(-?[0-9]{1,20}(?:\.[0-9]{1,20})?) ?([A-Za-z]*)", re.ASCII)


def shown(number: float, unit: str | None) -> str:
    """Return a number of the unit as a person reads it: 16 of 8kB are 128kB."""
    count, own = UNIT.fullmatch(unit).groups() if unit else ("", "")  # type: ignore[union-attr]  # parameters.json's
    return f"{number * int(count or 1)}{own}"


def quantity(text: str, unit: str) -> Fraction:
    """Return how many of the unit the text is. Raises ValueError, whose text ends a sentence, if it is none."""
    count, own = UNIT.fullmatch(unit).groups()  # type: ignore[union-attr]  # units are of parameters.json
    scale = BYTES if own in BYTES else MICROSECONDS
    found = QUANTITY.fullmatch(text)
    if not found or (found[2] and found[2] not in scale):
        raise ValueError(f"must be a number of {unit}, or one with a unit of {', '.join(scale)}")
    number = Fraction(found[1])
    return number * scale[found[2]] / (int(count or 1) * scale[own]) if found[2] else number
