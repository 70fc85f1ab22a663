"""Progress, as a person sees it."""

from io import StringIO
from typing import Any

from local.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def job(step: str | None, percent: int, status: str = "RUNNING") -> dict[str, Any]:
    return {"status": status, "instances": [{"name": "c1-member-1", "step": step, "percent": percent}]}


def test_elsewhere_a_line_is_written_when_a_step_begins() -> None:
    out = StringIO()
    progress = Progress("redis 7.0", out)

    for seen in [job("create_server", 12), job("create_server", 12), job("await_ssh", 37), job(None, 100, "SUCCEEDED")]:
        progress(seen)

    title, *lines = out.getvalue().splitlines()
    assert title == "redis 7.0"
    assert [line.split("%")[1].split("  ")[1].strip() for line in lines] == ["create server", "await ssh", "done"]


def test_on_a_terminal_the_table_redraws_itself() -> None:
    out = Terminal()
    progress = Progress("redis 7.0", out)

    progress(job("create_server", 50))
    progress(job("await_ssh", 100))

    assert out.getvalue().count("\x1b[1A") == 1
    assert "█" * 12 + "░" * 12 in out.getvalue()
