"""What statemachines/README.md says to paste into the Step Functions console."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "statemachines" / "README.md"
SECTION = re.compile(r"^### (\w+)\n\n```json\n(.+?)\n```\n\n(.+?)(?=\n###|\Z)", re.M | re.S)


def inputs() -> dict[str, str]:
    """Return the text to paste for each workflow, in the order in which one cluster can have them all."""
    return {workflow: text for workflow, text, _ in SECTION.findall(README.read_text())}


def filled_in(text: str, **ids: str) -> str:
    """Replace the words in capitals: CLUSTER_ID by what `cluster_id` is."""
    for name, value in ids.items():
        text = text.replace(name.upper(), value)
    assert not re.search(r"[A-Z]+_ID", text), f"what is meant in {text}?"
    return text
