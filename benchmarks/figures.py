"""Figures: what a benchmark measured, beside what it was measured against and the most it may be."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Of(StrEnum):
    """What of a figure its limit is about."""

    VALUE = "value"
    RATIO = "ratio"  # to the baseline
    EXCESS = "excess"  # over the baseline


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    baseline: float | None = None
    most: float | None = None
    of: Of = Of.VALUE
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def limited(self) -> float:
        match self.of:
            case Of.RATIO:
                return self.ratio or 0.0
            case Of.EXCESS:
                return self.value - (self.baseline or 0.0)
        return self.value

    @property
    def is_met(self) -> bool | None:
        return None if self.most is None else self.limited <= self.most


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the report."""

    title: str
    about: str
    figures: tuple[Figure, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Section":
        read = json.loads(text)
        figures = tuple(Figure(**{**each, "of": Of(each["of"])}) for each in read["figures"])
        return cls(read["title"], read["about"], figures)


def percentile(values: Sequence[float], percent: int) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * percent // 100)]


def tell(text: str) -> None:
    """Show progress: standard output is for the section."""
    print(text, file=sys.stderr, flush=True)
