"""A job's progress for a person: a table that redraws itself on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any, TextIO

BAR = 24
NAME = 28


class Progress:
    """Shows one job. Each instance has a line: its name, a bar, percent, step, seconds."""

    def __init__(self, title: str, out: TextIO = sys.stdout) -> None:
        self.title, self.out = title, out
        self.is_terminal = out.isatty()
        self.began = time.monotonic()
        self.seen: dict[str, str] = {}
        self.drawn = 0
        self.out.write(f"{title}\n")

    def __call__(self, job: dict[str, Any]) -> None:
        rows = {each["name"]: self.row(each, job["status"]) for each in job["instances"]}
        if self.is_terminal:
            self._redraw(list(rows.values()))
        else:
            self._append(job)

    def row(self, instance: dict[str, Any], status: str) -> str:
        percent = int(instance["percent"])
        bar = "█" * (percent * BAR // 100)
        step = "done" if status == "SUCCEEDED" else (instance["step"] or "waiting").replace("_", " ")
        return f"  {instance['name']:<{NAME}} {bar:░<{BAR}} {percent:>3} %  {step:<20} {self.seconds:6.1f} s"

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def _redraw(self, rows: list[str]) -> None:
        back = f"\x1b[{self.drawn}A" if self.drawn else ""
        self.out.write(back + "".join(f"\x1b[2K{row}\n" for row in rows))
        self.out.flush()
        self.drawn = len(rows)

    def _append(self, job: dict[str, Any]) -> None:
        for each in job["instances"]:
            now = f"{each['step']} {job['status']}"
            if self.seen.get(each["name"]) != now:
                self.seen[each["name"]] = now
                self.out.write(self.row(each, job["status"]).replace("█", "#").replace("░", ".").rstrip() + "\n")
                self.out.flush()
