"""Idle: what the sweeps ask of AWS while nobody asks for anything, and what a cluster that is there adds to it."""

import time
from collections.abc import Iterator
from math import ceil

from benchmarks import site
from benchmarks.capacity import index_keys, size
from benchmarks.counting import Proxy, counted
from benchmarks.figures import Figure, tell
from local import service
from local.service import Service

SWEEPS = {"sweep": "Sweep", "sweep_cloud": "SweepCloud", "scheduler": "Scheduler"}
CALLS = 5  # of each, of which the cheapest counts: a scheduled one may come in between
CLUSTER_SIZE = 3
ITEM_BYTES = 100  # that DynamoDB adds to each, here and in each index
TABLES = ("clusters", "instances", "keys")


def figures(running: Service) -> Iterator[Figure]:
    with counted(running, tuple(SWEEPS.values())) as proxy:
        without = {name: cheapest(running, proxy, logical_id) for name, logical_id in SWEEPS.items()}
        cluster_id, job_id = site.create(running, CLUSTER_SIZE)
        site.succeeded(running, job_id)
        with_one = {name: cheapest(running, proxy, logical_id) for name, logical_id in SWEEPS.items()}
        bytes_ = stored(running, cluster_id)
        site.succeeded(running, site.delete(running, cluster_id))
    tell(f"idle: {without}, with a cluster {with_one}, {bytes_} bytes")
    for name, (milliseconds, units) in without.items():
        yield Figure(f"cost.idle.{name}.lambda_milliseconds", milliseconds, "ms")
        yield Figure(f"cost.idle.{name}.dynamodb_read_units", units, "units")
    for name, (milliseconds, units) in with_one.items():
        more = max(0, milliseconds - without[name][0])
        yield Figure(f"cost.idle.cluster_{CLUSTER_SIZE}.{name}.lambda_milliseconds", more, "ms")
        yield Figure(f"cost.idle.cluster_{CLUSTER_SIZE}.{name}.dynamodb_read_units", units - without[name][1], "units")
    yield Figure(f"cost.idle.cluster_{CLUSTER_SIZE}.stored", bytes_, "bytes")


def cheapest(running: Service, proxy: Proxy, logical_id: str) -> tuple[int, float]:
    """Call the function some times and return the fewest milliseconds and read units that a call took."""
    stack, functions = running.aws.client("cloudformation"), running.aws.client("lambda")
    resource = stack.describe_stack_resource(StackName=service.STACK, LogicalResourceId=logical_id)
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    milliseconds, units = [], []
    for _ in range(CALLS):
        proxy.forget()
        began_at = time.monotonic()
        functions.invoke(FunctionName=name, Payload=b"{}")
        milliseconds.append(ceil((time.monotonic() - began_at) * 1000))
        units.append(proxy.ledger.read_units)
    return min(milliseconds), min(units)


def stored(running: Service, cluster_id: str) -> int:
    """Return the bytes that the records of a cluster take, each index that they are in counted as if it had all."""
    dynamodb, total = running.aws.client("dynamodb"), 0
    for noun in TABLES:
        items = dynamodb.scan(TableName=f"{service.STACK}-{noun}")["Items"]
        for item in (each for each in items if each.get("cluster_id", {}).get("S") == cluster_id):
            copies = 1 + sum(key in item for key in index_keys().get(noun, ()))
            total += copies * (size(item) + ITEM_BYTES)
    return total
