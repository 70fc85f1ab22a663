"""Cost: what creating, keeping and deleting a cluster asks of AWS, and its price."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks import idle, prices, site
from benchmarks.counting import Proxy, counted
from benchmarks.figures import Figure, Section, tell
from benchmarks.provision import IMAGES, SIZES
from benchmarks.tasks import Task, logged_bytes, profile, tasks
from local import service
from local.service import Service

ABOUT = f"""\
Redis clusters of one instance and of three with volumes, created and deleted on the embedded AWS with real guests.
*Transitions* are the tasks that ran, retries among them (by the functions' own logs), each Map state with each of its
iterations, and one for the end. *Lambda* is the milliseconds that the embedded AWS logs as billed, those of `announce`
among them, and all of the time of the request to the API; they are this machine's, whose core is more than a 512 MB
function's share of one, but most of them are waiting. *DynamoDB*, *KMS* and *events* are the calls of the functions
that serve the order, counted by a proxy between them and the embedded AWS; capacity follows from the items by
DynamoDB's documented rules, indexes and transactions included. *idle* is one call of each sweep while nothing is asked
for, and what a cluster of three adds to it; *stored* are the bytes of its records, indexes included. Prices are AWS's
lists of {prices.REGION} ([cost.md](cost.md)). Not in it: a client's requests for progress.
"""
MOST_USD = 0.005
MIB_PER_GB = 1024
TOLD_SECONDS = 3.0  # until the last change was told, and every log is written
REPO = Path(__file__).parent.parent
API_MEMORY_MIB: int = json.loads((REPO / ".chalice" / "config.json").read_text())["stages"]["dev"]["lambda_memory_size"]


@dataclass(frozen=True)
class Use:
    """What one job used, its request to the API, its trace and what was told of it included."""

    transitions: int
    tasks: tuple[Task, ...]
    tellings: tuple[Task, ...]
    api_milliseconds: int
    dynamodb_requests: int
    read_units: float
    write_units: float
    kms_calls: int
    events: int
    log_bytes: int

    @property
    def invocations(self) -> int:
        return len(self.tasks) + len(self.tellings) + 1

    @property
    def billed_milliseconds(self) -> int:
        return sum(each.billed_milliseconds for each in (*self.tasks, *self.tellings)) + self.api_milliseconds

    @property
    def gb_seconds(self) -> float:
        api = self.api_milliseconds * API_MEMORY_MIB
        functions = sum(each.billed_milliseconds * each.memory_mib for each in (*self.tasks, *self.tellings))
        return (functions + api) / 1000 / MIB_PER_GB

    @property
    def usd(self) -> float:
        return (
            self.transitions * prices.TRANSITION.usd
            + self.gb_seconds * prices.GB_SECOND.usd
            + self.invocations * prices.INVOCATION.usd
            + self.write_units * prices.WRITE_UNIT.usd
            + self.read_units * prices.READ_UNIT.usd
            + self.kms_calls * prices.KMS_CALL.usd
            + self.events * prices.EVENT.usd
            + self.log_bytes / 1e9 * prices.LOGGED_GB.usd
            + prices.TRACE.usd
            + prices.API_REQUEST.usd
        )


def measure() -> Section:
    figures: list[Figure] = []
    with site.running() as running, counted(running) as proxy:
        make_and_delete(running, proxy, max(SIZES))  # makes the functions' connections
        for size in SIZES:
            for state, image in IMAGES.items():
                service.offer(running.aws, image)
                created, deleted = make_and_delete(running, proxy, size)
                figures += figures_of(f"cost.create_{size}.{state}", created, MOST_USD)
            figures += figures_of(f"cost.delete_{size}", deleted, None)
        figures += idle.figures(running)
    return Section("What a cluster costs in AWS", ABOUT, tuple(figures))


def make_and_delete(running: Service, proxy: Proxy, size: int) -> tuple[Use, Use]:
    cluster_id, created = used(running, proxy, ("create_cluster", size), lambda: site.create(running, size))
    _, deleted = used(running, proxy, ("delete_cluster", size), lambda: (cluster_id, site.delete(running, cluster_id)))
    return created, deleted


def used(
    running: Service, proxy: Proxy, what: tuple[str, int], begin: Callable[[], tuple[str, str]]
) -> tuple[str, Use]:
    """Carry the workflow out, on a cluster of that size, and return the cluster's id and what that used."""
    proxy.forget()
    began_at = time.time()
    cluster_id, job_id = begin()
    api_milliseconds = ceil((time.time() - began_at) * 1000)
    site.succeeded(running, job_id)
    time.sleep(TOLD_SECONDS)
    span = began_at, time.time()
    found, tellings = tasks(running, *span), tasks(running, *span, functions=("Announce",))
    tell(f"{what}: {profile(found)}; {len(tellings)} tellings; calls {dict(proxy.calls)}")
    return cluster_id, Use(
        transitions=transitions(*what, found),
        tasks=tuple(found),
        tellings=tuple(tellings),
        api_milliseconds=api_milliseconds,
        dynamodb_requests=proxy.ledger.requests,
        read_units=proxy.ledger.read_units,
        write_units=proxy.ledger.write_units,
        kms_calls=proxy.calls["TrentService"],
        events=proxy.events,
        log_bytes=logged_bytes(running, *span),
    )


def transitions(workflow: str, size: int, found: Sequence[Task]) -> int:
    """Count the tasks, each Map with its iterations, and the end. A Map over replicas has one iteration less."""
    definition = json.loads((REPO / "statemachines" / f"{workflow}.asl.json").read_text())
    maps: list[dict[str, Any]] = [each for each in definition["States"].values() if each["Type"] == "Map"]
    iterations = [size - 1 if each["ItemsPath"] == "$.replica_ids" else size for each in maps]
    return len(found) + len(maps) + sum(iterations) + 1


def figures_of(name: str, use: Use, most_usd: float | None) -> list[Figure]:
    return [
        Figure(name, use.usd, "USD", most=most_usd),
        Figure(f"{name}.state_transitions", use.transitions, "transitions"),
        Figure(f"{name}.lambda_invocations", use.invocations, "invocations"),
        Figure(f"{name}.lambda_milliseconds", use.billed_milliseconds, "ms"),
        Figure(f"{name}.lambda_gb_seconds", use.gb_seconds, "GB-s"),
        Figure(f"{name}.dynamodb_requests", use.dynamodb_requests, "requests"),
        Figure(f"{name}.dynamodb_read_units", use.read_units, "units"),
        Figure(f"{name}.dynamodb_write_units", use.write_units, "units"),
        Figure(f"{name}.kms_calls", use.kms_calls, "calls"),
        Figure(f"{name}.events", use.events, "events"),
        Figure(f"{name}.log_bytes", use.log_bytes, "bytes"),
    ]


if __name__ == "__main__":
    print(measure().to_json())
