"""The functions' policies as they are written, with the statements that depend on a parameter as if it were given."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POLICIES = sorted((Path(__file__).parents[1] / ".chalice").glob("policy-*.json"))


def policy_of(function: str) -> Path:
    """Return the file of a function by its name in the policies: `sweep-cloud`."""
    (found,) = [each for each in POLICIES if each.stem == f"policy-{function}"]
    return found


def statements_of(policy: Path) -> Iterator[dict[str, Any]]:
    for each in json.loads(policy.read_text())["Statement"]:
        yield each["Fn::If"][1] if "Fn::If" in each else each
