"""Cost: what creating and deleting a cluster asks of AWS, and its price."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks import site
from benchmarks.counting import Proxy, counted
from benchmarks.figures import Figure, Section, tell
from benchmarks.provision import IMAGES, LOG_SECONDS
from benchmarks.tasks import Task, profile, tasks
from local import service
from local.service import Service

ABOUT = """\
One Redis cluster of three instances with volumes, created and deleted on the embedded AWS with real guests.
*Transitions* are the tasks that ran, retries among them (by the functions' own logs), each Map state with each of its
iterations, and one for the end. *Lambda* is the milliseconds that the embedded AWS logs as billed, and all of the
time of the request to the API; they are this machine's, whose core is more than a 512 MB function's share of one, but
most of them are waiting. *DynamoDB* and *KMS* are the calls of the functions that serve the order, counted by a proxy
between them and the embedded AWS; capacity follows from the items by DynamoDB's documented rules, indexes and
transactions included. List prices of us-east-1: 25 USD per million transitions, Lambda (arm64) 0.0000133334 USD per
GB-second and 0.20 USD per million requests, DynamoDB on demand 0.625 USD per million write units and 0.125 USD per
million read units, KMS 0.03 USD per 10,000 calls, API Gateway 3.50 USD per million requests. Not in it: a client's
requests for progress, logs, storage.
"""
SIZE = 3
MOST_USD = 0.005
USD_PER_TRANSITION = 25e-6
USD_PER_GB_SECOND = 0.0000133334
USD_PER_INVOCATION = 0.20e-6
USD_PER_WRITE_UNIT = 0.625e-6
USD_PER_READ_UNIT = 0.125e-6
USD_PER_KMS_CALL = 0.03e-4
USD_PER_REQUEST = 3.5e-6
MIB_PER_GB = 1024
REPO = Path(__file__).parent.parent
API_MEMORY_MIB: int = json.loads((REPO / ".chalice" / "config.json").read_text())["stages"]["dev"]["lambda_memory_size"]


@dataclass(frozen=True)
class Use:
    """What one job used, its request to the API included."""

    transitions: int
    tasks: tuple[Task, ...]
    api_milliseconds: int
    dynamodb_requests: int
    read_units: float
    write_units: float
    kms_calls: int

    @property
    def invocations(self) -> int:
        return len(self.tasks) + 1

    @property
    def billed_milliseconds(self) -> int:
        return sum(each.billed_milliseconds for each in self.tasks) + self.api_milliseconds

    @property
    def gb_seconds(self) -> float:
        api = self.api_milliseconds * API_MEMORY_MIB
        return (sum(each.billed_milliseconds * each.memory_mib for each in self.tasks) + api) / 1000 / MIB_PER_GB

    @property
    def usd(self) -> float:
        return (
            self.transitions * USD_PER_TRANSITION
            + self.gb_seconds * USD_PER_GB_SECOND
            + self.invocations * USD_PER_INVOCATION
            + self.write_units * USD_PER_WRITE_UNIT
            + self.read_units * USD_PER_READ_UNIT
            + self.kms_calls * USD_PER_KMS_CALL
            + USD_PER_REQUEST
        )


def measure() -> Section:
    figures: list[Figure] = []
    with site.running() as running, counted(running) as proxy:
        make_and_delete(running, proxy)  # makes the functions' connections
        for state, image in IMAGES.items():
            service.offer(running.aws, image)
            created, deleted = make_and_delete(running, proxy)
            figures += figures_of(f"cost.create_{SIZE}.{state}", created, MOST_USD)
        figures += figures_of(f"cost.delete_{SIZE}", deleted, None)
    return Section("What a cluster costs in AWS", ABOUT, tuple(figures))


def make_and_delete(running: Service, proxy: Proxy) -> tuple[Use, Use]:
    cluster_id, created = used(running, proxy, "create_cluster", lambda: site.create(running, SIZE))
    _, deleted = used(running, proxy, "delete_cluster", lambda: (cluster_id, site.delete(running, cluster_id)))
    return created, deleted


def used(running: Service, proxy: Proxy, workflow: str, begin: Callable[[], tuple[str, str]]) -> tuple[str, Use]:
    """Carry the workflow out and return the cluster's id and what that used."""
    proxy.forget()
    began_at = time.time()
    cluster_id, job_id = begin()
    api_milliseconds = ceil((time.time() - began_at) * 1000)
    ended_at = site.succeeded(running, job_id)
    time.sleep(LOG_SECONDS)
    found = tasks(running, began_at, ended_at + LOG_SECONDS)
    tell(f"{workflow}: {profile(found)}; calls {dict(proxy.calls)}")
    return cluster_id, Use(
        transitions=transitions(workflow, found),
        tasks=tuple(found),
        api_milliseconds=api_milliseconds,
        dynamodb_requests=proxy.ledger.requests,
        read_units=proxy.ledger.read_units,
        write_units=proxy.ledger.write_units,
        kms_calls=proxy.calls["TrentService"],
    )


def transitions(workflow: str, found: Sequence[Task]) -> int:
    """Count the tasks, each Map with its iterations, and the end. A Map over replicas has one iteration less."""
    definition = json.loads((REPO / "statemachines" / f"{workflow}.asl.json").read_text())
    maps: list[dict[str, Any]] = [each for each in definition["States"].values() if each["Type"] == "Map"]
    iterations = [SIZE - 1 if each["ItemsPath"] == "$.replica_ids" else SIZE for each in maps]
    return len(found) + len(maps) + sum(iterations) + 1


def figures_of(name: str, use: Use, most_usd: float | None) -> list[Figure]:
    return [
        Figure(name, use.usd, "USD", most=most_usd),
        Figure(f"{name}.state_transitions", use.transitions, "transitions"),
        Figure(f"{name}.lambda_invocations", use.invocations, "invocations"),
        Figure(f"{name}.lambda_milliseconds", use.billed_milliseconds, "ms"),
        Figure(f"{name}.dynamodb_requests", use.dynamodb_requests, "requests"),
        Figure(f"{name}.dynamodb_read_units", use.read_units, "units"),
        Figure(f"{name}.dynamodb_write_units", use.write_units, "units"),
        Figure(f"{name}.kms_calls", use.kms_calls, "calls"),
    ]


if __name__ == "__main__":
    print(measure().to_json())
