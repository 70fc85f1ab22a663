"""The report: benchmarks/results.json for programs, docs/benchmarks.md for people."""

import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import cost_page
from benchmarks.figures import Figure, Of, Section

REPO = Path(__file__).parent.parent
RESULTS = REPO / "benchmarks" / "results.json"
PAGE = REPO / "docs" / "benchmarks.md"
SIGNIFICANT_DIGITS = 3
HEADER = "| | value | baseline | ratio | at most | met | |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True)
class Machine:
    cores: int
    processor: str
    memory_gib: float
    system: str
    load: float  # of the last minute before the run
    measured_at: datetime

    @classmethod
    def this(cls) -> "Machine":
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return cls(
            cores=len(os.sched_getaffinity(0)),
            processor=models[0].partition(": ")[2] if models else platform.machine(),
            memory_gib=memory,
            system=f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}",
            load=os.getloadavg()[0],
            measured_at=datetime.now(UTC),
        )


def write(sections: Sequence[Section], machine: Machine, rounds: int) -> None:
    results = {
        each.name: {"value": each.value, "unit": each.unit, "baseline": each.baseline, "ratio": each.ratio}
        for section in sections
        for each in section.figures
    }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    PAGE.write_text("\n".join(page(sections, machine, rounds)))
    cost_page.PAGE.write_text(cost_page.page(results))


def page(sections: Sequence[Section], machine: Machine, rounds: int) -> Iterator[str]:
    yield "# Benchmarks\n"
    yield "Written by `make bench` (`python -m benchmarks`); the same figures are in `benchmarks/results.json`.\n"
    yield (
        f"Measured on {machine.measured_at:%Y-%m-%d at %H:%M} UTC on {machine.cores} cores ({machine.processor}), "
        f"{machine.memory_gib:.1f} GiB, {machine.system}; {rounds} rounds; "
        f"load average before the run {machine.load:.2f}.\n"
    )
    missed = [each.name for section in sections for each in section.figures if each.is_met is False]
    yield f"**Missed: {', '.join(missed)}.**\n" if missed else "All limits are met.\n"
    for section in sections:
        yield f"## {section.title}\n\n{section.about}\n{HEADER}"
        yield from (row(each) for each in section.figures)
        yield ""


def row(figure: Figure) -> str:
    cells = (
        f"`{figure.name}`",
        f"{rounded(figure.value)} {figure.unit}",
        "" if figure.baseline is None else f"{rounded(figure.baseline)} {figure.unit}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        limit(figure),
        {None: "", True: "yes", False: "**no**"}[figure.is_met],
        figure.note,
    )
    return f"| {' | '.join(cells)} |"


def limit(figure: Figure) -> str:
    if figure.most is None:
        return ""
    most = rounded(figure.most)
    match figure.of:
        case Of.RATIO:
            return f"{most} x the baseline"
        case Of.EXCESS:
            return f"{most} {figure.unit} over it"
    return f"{most} {figure.unit}"


def rounded(value: float) -> str:
    """Return the number with three digits that count, or all of its whole part."""
    return f"{value:.0f}" if abs(value) >= 10**SIGNIFICANT_DIGITS else f"{value:.{SIGNIFICANT_DIGITS}g}"
