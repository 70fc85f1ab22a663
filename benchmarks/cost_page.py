"""docs/cost.md: computed from benchmarks/results.json, prices.py and the template. A test holds the page to it.

python -m benchmarks.cost_page
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import prices
from benchmarks.capacity import resources
from benchmarks.prices import Price
from chalicelib import metrics
from chalicelib.jobs.workflows import WORKFLOWS
from chalicelib.models.status import JobStatus

REPO = Path(__file__).parent.parent
RESULTS, PAGE = REPO / "benchmarks" / "results.json", REPO / "docs" / "cost.md"
TEXT = Path(__file__).with_suffix(".md")
STAGE = json.loads((REPO / ".chalice" / "config.json").read_text())["stages"]["dev"]
SIZES, STATES = (1, 3), {"cold": "installs packages", "golden": "packages in the image"}
HOURS = 730  # of a month
RUNS = {"sweep": 60 * HOURS, "scheduler": 60 * HOURS, "sweep_cloud": 6 * HOURS}  # a month
IDLE = "cost.idle.cluster_3"
ZONES = 2
OUTCOMES_OF_STEPS, STATUS_CLASSES = 5, 3
Results = Mapping[str, Mapping[str, Any]]
Rows = Mapping[str, float]


def page(results: Results) -> str:
    def value(name: str) -> float:
        return float(results[name]["value"])

    most = sum(_series(each) for each in metrics.ALL)
    of_create = (
        len(WORKFLOWS["create_cluster"].steps) + 5
    )  # Requests, QueueSeconds, SshConnectSeconds, Jobs, JobSeconds
    dearest = max(value(f"cost.create_{size}.{state}") for size in SIZES for state in STATES)
    return TEXT.read_text().format(
        region=prices.REGION,
        as_of=prices.AS_OF,
        jobs="\n".join(_jobs(results)),
        log_kilobytes=value("cost.create_3.golden.log_bytes") / 1000,
        thousand=dearest * 1000,
        idle=_table(_idle(results), 3),
        cluster=_table(_cluster(results), 6),
        of_create=of_create,
        create_metrics=of_create * prices.METRIC.usd / HOURS,
        most=most,
        most_metrics=most * prices.METRIC.usd,
        zones=ZONES,
        network=_table(_network(), 2, is_sum=False),
        prices="\n".join(f"| {each.shown} | <{each.url}> |" for each in prices.ALL),
    )


def _jobs(results: Results) -> Iterator[str]:
    for size in SIZES:
        instances = "one instance" if size == 1 else f"{size} instances"
        for state, packages in STATES.items():
            yield _job(results, f"create, {instances}, {packages}", f"cost.create_{size}.{state}")
        yield _job(results, f"delete, {instances}", f"cost.delete_{size}")


def _job(results: Results, what: str, name: str) -> str:
    def count(figure: str) -> str:
        return f"{results[f'{name}.{figure}']['value']:,.0f}"

    gb_seconds = results[f"{name}.lambda_gb_seconds"]["value"]
    cells: Sequence[str] = (
        what,
        f"{results[name]['value']:.6f}",
        count("state_transitions"),
        f"{count('lambda_invocations')} calls, {gb_seconds:.1f} GB-s",
        f"{count('dynamodb_read_units')}, {count('dynamodb_write_units')}",
        count("kms_calls"),
        count("events"),
    )
    return f"| {' | '.join(cells)} |"


def _table(rows: Rows, digits: int, *, is_sum: bool = True) -> str:
    lines = [f"| {what} | {usd:.{digits}f} |" for what, usd in rows.items()]
    return "\n".join([*lines, *([f"| **together** | **{sum(rows.values()):.{digits}f}** |"] * is_sum)])


def _idle(results: Results) -> Rows:
    alarms = sum(each.get("Type") == "AWS::CloudWatch::Alarm" for each in resources().values())
    of_scheduler = f"`scheduler`, each minute: {RUNS['scheduler']:,} calls"
    is_counted = "cost.idle.scheduler.lambda_milliseconds" in results  # by the next run
    return {
        **({of_scheduler: _called(results, "scheduler", "cost.idle.scheduler")} if is_counted else {}),
        f"`sweep`, each minute: {RUNS['sweep']:,} calls": _called(results, "sweep", "cost.idle.sweep"),
        f"`sweep_cloud`, each ten: {RUNS['sweep_cloud']:,} calls": _called(
            results, "sweep_cloud", "cost.idle.sweep_cloud"
        ),
        "the key that seals secrets": prices.KMS_KEY.usd,
        "the secret with the cloud's credentials": prices.SECRET.usd,
        f"{alarms} alarms; none with `Alarms=DISABLED`": alarms * prices.ALARM.usd,
    }


def _cluster(results: Results) -> Rows:
    stored = float(results[f"{IDLE}.stored"]["value"]) / 1e9
    looked = _called(results, "sweep_cloud", f"{IDLE}.sweep_cloud") - RUNS["sweep_cloud"] * prices.INVOCATION.usd
    return {
        f"its records, {stored * 1e6:.1f} kB with their indexes": stored * prices.STORED_GB.usd,
        "recoverable to any second of 35 days": stored * prices.RECOVERABLE_GB.usd,
        "`sweep_cloud` compares its resources with its records": looked,
    }


def _called(results: Results, function: str, name: str = "") -> float:
    """Return what the function's calls of a month cost, each as the figures of that name have it."""
    name = name or f"cost.idle.{function}"
    memory_gb = STAGE["lambda_functions"][function]["lambda_memory_size"] / 1024
    seconds = float(results[f"{name}.lambda_milliseconds"]["value"]) / 1000
    units = float(results[f"{name}.dynamodb_read_units"]["value"])
    call = prices.INVOCATION.usd + seconds * memory_gb * prices.GB_SECOND.usd + units * prices.READ_UNIT.usd
    return float(RUNS[function] * call)


def _series(metric: metrics.Metric) -> int:
    """Return how many metrics it can be at most: one for each word of each of its dimensions."""
    steps = {step for workflow in WORKFLOWS.values() for step in workflow.steps}
    words = {
        "workflow": len(WORKFLOWS),
        "step": len(steps) + 1,  # one for all that are none
        "outcome": OUTCOMES_OF_STEPS if metric is metrics.STEP_SECONDS else len(JobStatus) - 1,
        "status_class": STATUS_CLASSES,
    }
    count = 1
    for dimension in metric.dimensions:
        count *= words[dimension]
    return count


def _network() -> Rows:
    def month(price: Price, count: int) -> float:
        return price.usd * HOURS * count

    return {
        "interface endpoints for KMS and Secrets Manager": month(prices.ENDPOINT_HOUR, 2 * ZONES),
        "… and for Lambda and Step Functions, if the API is in it too": month(prices.ENDPOINT_HOUR, 4 * ZONES),
        "or a NAT gateway in each zone": month(prices.NAT_HOUR, ZONES),
        "or one for all": month(prices.NAT_HOUR, 1),
    }


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULTS.read_text())))
