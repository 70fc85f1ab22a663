"""Routes: what a request of each asks of DynamoDB, and how long a list of 1,000 instances takes."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore import handlers

from benchmarks.counting_calls import Calls
from benchmarks.figures import Figure, Section, percentile, tell
from benchmarks.scale import Watch

ABOUT = """\
The API in process, its tables in moto, cloud and guests invented. *routes*: the requests to DynamoDB of one request
to the API, each made of a project that has one instance, a cluster of two and a configuration group; the notes say
which they are, and how many more the function `reads` needs to ask the guest. Not in them: what a job then does, and
the looks at it (one each 0.1 s) while an answer waits for it; one request in ten to count for throttling; tokens.
Routes that answer 501 are left out; `routes.unmeasured` counts others without success. *instances_1000*: `GET
/instances` of a project with 1,000, the milliseconds of 30 requests with moto's time in it; `own` leaves out what
passed between asking for a call and its answer.
"""
NOT_OFFERED, ERRORS = 501, 400
INSTANCES, TURNS = 1000, 30


def measure() -> Section:
    calls, watch = Calls(), Watch()
    handlers.BUILTIN_HANDLERS += [
        ("before-call.dynamodb", calls.note),
        ("provide-client-params.dynamodb", watch.note),
        ("after-call.dynamodb", watch.answered),
    ]
    from tests import conftest  # sets what a test deployment has, before the models are imported

    with conftest.account_in_moto():
        figures = (*of_routes(calls), *of_a_long_list(watch))
    return Section("Requests", ABOUT, figures)


def of_routes(calls: Calls) -> Iterator[Figure]:
    from benchmarks.scene import Scene
    from chalicelib.api.policy import POLICY

    unmeasured = []
    for route in POLICY:
        scene = Scene.made(calls)
        calls.forget()
        status = scene.status_of(route)
        if status < ERRORS:
            yield Figure(f"routes.{route}", calls.of_api.total(), "requests", note=calls.told())
        elif status != NOT_OFFERED:
            unmeasured.append(f"{route} ({status})")
    tell(f"routes: unmeasured: {unmeasured}")
    yield Figure("routes.unmeasured", len(unmeasured), "routes", most=0, note=", ".join(unmeasured))


def of_a_long_list(watch: Watch) -> Iterator[Figure]:
    from tests.api.client import ApiCaller

    fill(INSTANCES)
    member = ApiCaller()
    if (listed := len(member.get("/instances").body["instances"])) != INSTANCES:
        raise SystemExit(f"GET /instances lists {listed} of {INSTANCES}.")
    watch.requests, watch.read_units = 0, 0.0
    times, own = list[float](), list[float]()
    for _ in range(TURNS):
        watch.seconds, began = 0.0, time.perf_counter()
        member.get("/instances")
        times.append((time.perf_counter() - began) * 1000)
        own.append(times[-1] - watch.seconds * 1000)
    tell(f"instances_1000: {percentile(times, 50):.1f} ms, {percentile(own, 50):.1f} of its own")
    yield Figure("instances_1000.requests", watch.requests / TURNS, "requests")
    yield Figure("instances_1000.read_units", watch.read_units / TURNS, "units")
    for name, seen in {"": times, "own_": own}.items():
        for percent in (50, 99):
            yield Figure(f"instances_1000.{name}p{percent}", percentile(seen, percent), "ms")


def fill(count: int) -> None:
    """Have that many instances of one project, each alone, and nothing else."""
    from chalicelib.models.instance import Instance
    from tests import conftest

    conftest.empty()
    conftest.offer()
    for number in range(count):
        instance_id = str(uuid5(NAMESPACE_URL, str(number)))
        common: dict[str, Any] = {"project_id": conftest.PROJECT, "standalone_in": conftest.PROJECT}
        Instance(
            instance_id=instance_id,
            cluster_id=instance_id,
            name=f"instance {number}",
            status="ACTIVE",
            datastore="redis",
            datastore_version="7.0",
            datastore_version_id="redis 7.0",
            flavor_id="1",
            memory_mib=512,
            address=f"10.79.{number // 250}.{number % 250 + 1}",
            **common,
        ).add()


if __name__ == "__main__":
    print(measure().to_json())
