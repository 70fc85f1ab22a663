"""An interpreter of our state machines: Task, Map and Retry as the language defines them, on a clock of the caller's.

What it leaves out (Choice, Parallel, paths beyond ours) it refuses, so that no definition is half understood.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATEMACHINES = Path(__file__).parents[2] / "statemachines"
Invoke = Callable[[str, dict[str, Any]], Any]  # resource, event -> answer; raises


class Cut(BaseException):
    """A Lambda died in the middle: as a killed process, it runs no handler and no `finally` that would matter."""


class Stopped(BaseException):
    """An operator stopped the execution: nothing of it runs any more."""


class Failed(Exception):
    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


@dataclass
class Machine:
    workflow: str
    invoke: Invoke
    execution: dict[str, Any]
    wait: Callable[[float], None] = lambda seconds: None
    retried: list[str] = field(default_factory=list)  # states, one for each retry
    transitions: int = 0
    definition: dict[str, Any] | None = None  # None: as it is today

    def run(self, data: Any) -> Any:
        """Run the workflow to its end. Raises Failed."""
        definition = self.definition or json.loads((STATEMACHINES / f"{self.workflow}.asl.json").read_text())
        return self._states(definition, data)

    def _states(self, definition: dict[str, Any], data: Any) -> Any:
        name: str | None = definition["StartAt"]
        while name:
            state = definition["States"][name]
            self.transitions += 1
            match state["Type"]:
                case "Task":
                    data = self._task(name, state, data)
                case "Map":
                    self._map(state, data)
                case other:
                    raise NotImplementedError(other)
            name = state.get("Next")
        return data

    def _map(self, state: dict[str, Any], data: Any) -> None:
        assert state["ResultPath"] is None
        for item in data[state["ItemsPath"].removeprefix("$.")]:
            selected = {
                key.removesuffix(".$"): item if path == "$$.Map.Item.Value" else data[path.removeprefix("$.")]
                for key, path in state["ItemSelector"].items()
            }
            self._states(state["ItemProcessor"], selected)

    def _task(self, name: str, state: dict[str, Any], data: Any) -> Any:
        event = {"step": name, "execution": self.execution, "baton": data}
        attempts: dict[int, int] = {}
        while True:
            try:
                return self.invoke(state["Resource"].strip("${}"), json.loads(json.dumps(event)))
            except (Cut, Exception) as error:
                kind = "Runtime.ExitError" if isinstance(error, Cut) else type(error).__name__
                row = next((n for n, row in enumerate(state["Retry"]) if kind in row["ErrorEquals"]), None)
                if row is None or attempts.get(row, 0) >= state["Retry"][row]["MaxAttempts"]:
                    raise Failed(kind, json.dumps({"errorMessage": str(error), "errorType": kind})) from error
                self.wait(interval(state["Retry"][row], attempts.get(row, 0)))
                attempts[row] = attempts.get(row, 0) + 1
                self.transitions += 1
                self.retried.append(name)


def interval(row: dict[str, Any], attempts: int) -> float:
    """Return how many seconds Step Functions waits before it tries again; with jitter they would be fewer."""
    seconds = row["IntervalSeconds"] * row["BackoffRate"] ** attempts
    return min(float(seconds), float(row.get("MaxDelaySeconds", seconds)))
