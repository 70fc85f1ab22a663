"""Scale: GET of a cluster and of a page of clusters, with 100 clusters in the project and with 100,000."""

import json
import os
import time
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore import handlers

from benchmarks.capacity import Ledger
from benchmarks.figures import Figure, Of, Section, percentile, tell

ABOUT = """\
The API in process, its tables in moto: `GET /clusters/{id}` of a three-instance cluster in the middle of the list,
and a page of 20 clusters from there, of a project with 100,000 clusters; the baseline is a project with 100. Requests
are those that reach DynamoDB, and the capacity they consume follows from the items read by its documented rules: both
must be the same. Static tokens cost no request; nothing throttles. Times (p50, p99) include moto's: it sorts the
whole table for each query, as DynamoDB does not. So `own` leaves out what passed between asking for a call and its
answer.
"""
COUNTS = 100, 100_000
PAGE, MEMBERS = 20, 3
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
PROJECT, TOKEN = "p1", "reader"
ACCOUNT, REGION = "123456789012", "us-east-1"
TABLE_PREFIX = "bench-"
SETTINGS = {
    "AWS_DEFAULT_REGION": REGION,
    "DTROVE_TABLE_PREFIX": TABLE_PREFIX,
    "DTROVE_TOKENS": json.dumps(
        {sha256(TOKEN.encode()).hexdigest(): {"project_id": PROJECT, "user": TOKEN, "roles": ["reader"]}}
    ),
}


@dataclass
class Watch(Ledger):
    """A ledger that also sums up how long the calls took."""

    seconds: float = 0.0

    def note(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"], context["asked_at"] = params, time.perf_counter()

    def answered(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        self.seconds += time.perf_counter() - context["asked_at"]
        if model.name in READS:
            self.enter(model.name, context["asked"], parsed)


def measure() -> Section:
    os.environ.update(SETTINGS)  # before the models are imported: their tables' names depend on it
    watch, figures = Watch(), list[Figure]()
    handlers.BUILTIN_HANDLERS += [
        ("provide-client-params.dynamodb", watch.note),
        ("after-call.dynamodb", watch.answered),
    ]
    from moto import mock_aws

    with mock_aws():
        small, large = (seen(count, watch) for count in COUNTS)
    for name, (value, unit, most) in large.items():
        figures.append(Figure(f"scale.{name}", value, unit, small[name][0], most, Of.RATIO if most else Of.VALUE))
    return Section("Scale", ABOUT, tuple(figures))


def seen(count: int, watch: Watch) -> dict[str, tuple[float, str, float | None]]:
    """Return value, unit and greatest ratio of each figure with this many clusters in the project."""
    middle = fill(count)
    found: dict[str, tuple[float, str, float | None]] = {}
    for name, (path, turns) in {"show": (f"/{middle}", 300), "list": (f"?limit={PAGE}&marker={middle}", 30)}.items():
        answer(path)  # makes the connections
        watch.requests, watch.read_units = 0, 0.0
        times, own = [], []
        for _ in range(turns):
            watch.seconds, began = 0.0, time.perf_counter()
            answer(path)
            times.append((time.perf_counter() - began) * 1000)
            own.append(times[-1] - watch.seconds * 1000)
        tell(f"{count} clusters: {name} {percentile(times, 50):.1f} ms, {percentile(own, 50):.1f} of its own")
        found |= {
            f"{name}.requests": (watch.requests / turns, "requests", 1.0),
            f"{name}.read_units": (watch.read_units / turns, "units", 1.0),
            f"{name}.p50": (percentile(times, 50), "ms", None),
            f"{name}.p99": (percentile(times, 99), "ms", None),
            f"{name}.own_p50": (percentile(own, 50), "ms", None),
            f"{name}.own_p99": (percentile(own, 99), "ms", None),
        }
    return found


def answer(path: str) -> Any:
    """Send the request to the app as API Gateway does."""
    from chalice.test import Client

    from app import app

    with Client(app) as client:
        answered = client.http.get(f"/v1.0/{PROJECT}/clusters{path}", headers={"X-Auth-Token": TOKEN})
    if answered.status_code != HTTPStatus.OK:
        raise SystemExit(f"{path}: {answered.status_code} {answered.body!r}")
    return answered.json_body


def fill(count: int) -> str:
    """Have that many clusters of three instances, put into moto directly; return the id of the one in the middle."""
    from moto.dynamodb.models import dynamodb_backends

    from tests.tables import MODELS

    backend = dynamodb_backends[ACCOUNT][REGION]
    for model in MODELS:
        if model.exists():
            model.delete_table()
        model.create_table(billing_mode="PAY_PER_REQUEST")
    clusters, instances = (backend.get_table(f"{TABLE_PREFIX}{noun}") for noun in ("clusters", "instances"))
    ids = sorted(str(uuid5(NAMESPACE_URL, str(number))) for number in range(count))
    middle = ids[count // 2]
    cluster, members = records(middle)
    pattern = cluster.serialize()
    for cluster_id in ids:
        clusters.put_item({**pattern, "cluster_id": {"S": cluster_id}})
    for each in members:  # the other clusters' are in other partitions: no request touches them
        instances.put_item(each.serialize())
    return middle


def records(cluster_id: str) -> tuple[Any, list[Any]]:
    from chalicelib.models.cluster import Cluster, Member
    from chalicelib.models.instance import Instance

    members = [
        Member(instance_id=str(uuid5(NAMESPACE_URL, f"{cluster_id} {n}")), name=f"c-{n}") for n in range(MEMBERS)
    ]
    common: dict[str, Any] = {
        "project_id": PROJECT,
        "datastore": "redis",
        "datastore_version": "7.0",
        "status": "ACTIVE",
        "revision": 1,
    }
    common["datastore_version_id"] = str(uuid5(NAMESPACE_URL, "redis"))
    cluster = Cluster(cluster_id=cluster_id, listed_in=PROJECT, name=f"cluster {cluster_id}", members=members, **common)
    instances = [
        Instance(
            cluster_id=cluster_id, instance_id=each.instance_id, name=each.name, flavor_id="1", memory_mib=512, **common
        )
        for each in members
    ]
    return cluster, instances


if __name__ == "__main__":
    print(measure().to_json())
