"""Writes state machine definitions in the house's form: keys in one order, short lists and retry rows on one line."""

import json
import sys
from pathlib import Path
from typing import Any

ORDER = [
    "Comment", "Type", "StartAt", "TimeoutSeconds", "ProcessorConfig", "States",
    "Resource", "Parameters", "ItemsPath", "ItemSelector", "MaxConcurrency", "ItemProcessor",
    "Choices", "Default", "ResultPath", "Retry", "Catch", "Next", "End",
]  # fmt: skip
ONE_LINE = {"Parameters", "ItemSelector", "ProcessorConfig"}


def render(value: Any, indent: int = 0, key: str = "") -> str:
    """Return the JSON text of a definition or a part of it."""
    pad = "  " * indent
    if isinstance(value, dict) and key not in ONE_LINE and value:
        ordered = value if key == "States" else dict(sorted(value.items(), key=lambda item: place(item[0])))
        rows = [f"{pad}  {json.dumps(name)}: {render(each, indent + 1, name)}" for name, each in ordered.items()]
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    if key in {"Retry", "Catch", "Choices"}:
        rows = [f"{pad}  {json.dumps(each)}" for each in value]
        return "[\n" + ",\n".join(rows) + f"\n{pad}]"
    return json.dumps(value, ensure_ascii=False)


def place(key: str) -> int:
    return ORDER.index(key) if key in ORDER else len(ORDER)


def main(arguments: list[str]) -> int:
    """`format_asl.py [--check] FILE …`: rewrite the files, or say which ones would change."""
    check = "--check" in arguments
    wrong = []
    for path in map(Path, [each for each in arguments if each != "--check"]):
        text = path.read_text()
        if (wanted := render(json.loads(text)) + "\n") != text:
            wrong.append(path)
            if not check:
                path.write_text(wanted)
    for path in wrong:
        print(f"{path}: {'not in house form' if check else 'rewritten'}")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
