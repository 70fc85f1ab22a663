"""What was written: every line that functions wrote meanwhile, as CloudWatch gets it, and what it reads there."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from chalicelib import journal

POWERTOOLS = LambdaPowertoolsFormatter(service=journal.SERVICE, utc=True, use_rfc3339=True)
Counted = tuple[str, str, tuple[str, ...]]  # a metric's name, its unit and its dimensions


class Written(logging.Handler):
    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.setFormatter(formatter)
        self.addFilter(journal.name_ids)

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.texts]

    def named(self, message: str) -> list[dict[str, Any]]:
        return [each for each in self.lines if each["message"] == message]

    def values(self, metric: str, **dimensions: str) -> list[float]:
        """Return what CloudWatch counts of that metric under exactly these dimensions, `deployment` aside."""
        return [
            line[metric]
            for line in self.lines
            for name, _, keys in counted_in(line)
            if name == metric and {key: line[key] for key in keys if key != "deployment"} == dimensions
        ]

    @property
    def counted(self) -> set[Counted]:
        return {each for line in self.lines for each in counted_in(line)}


def counted_in(line: dict[str, Any]) -> Iterator[Counted]:
    """Read the line as CloudWatch does, by its embedded metric format."""
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
        assert directive["Namespace"] == "DTrove"
        for keys in directive["Dimensions"]:
            assert all(isinstance(line[key], str) and line[key] for key in keys), line
            for metric in directive["Metrics"]:
                assert isinstance(line[metric["Name"]], int | float), line
                yield metric["Name"], metric["Unit"], tuple(keys)


@contextmanager
def written(formatter: logging.Formatter = POWERTOOLS) -> Iterator[Written]:
    handler, root = Written(formatter), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
