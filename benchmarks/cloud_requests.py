"""Requests of the cloud: what creating and deleting a cluster asks of each service of a real OpenStack."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.figures import Figure, Section, tell
from chalicelib.config import Config

if TYPE_CHECKING:
    from tests.openstack.faults.proxy import Request
    from tests.openstack.faults.stage import Stage

ABOUT = """\
Clusters of one instance and of three, each instance with a port, a security group, a server and a volume, created and
deleted by our state machines, with all their waits, on the OpenStack of the tests: real services, real servers that
let us in. Every request passes a proxy that counts it. *again* is how many of all ask for what was asked for before,
most of them to see whether something is done: that depends on how slow the cloud is. *of_an_instance* are the others,
the cluster's own requests shared by its instances. *first* is what a new function asks beside, of those that follow:
a token, and what the services offer.
"""
SIZES = 1, 3
MOST_TO_CREATE, MOST_TO_DELETE = 30, 25


@dataclass(frozen=True)
class Taken:
    """The requests that a job took."""

    by_service: Counter[str]
    again: int

    @classmethod
    def of(cls, requests: "list[Request]") -> "Taken":
        asked = Counter((each.service, each.path) for each in requests if each.method == "GET")
        return cls(Counter(each.service for each in requests), sum(asked.values()) - len(asked))

    @property
    def without_again(self) -> int:
        return self.by_service.total() - self.again


def measure() -> Section:
    with redirect_stdout(sys.stderr), staged() as stage:
        cold, _ = lived(stage, 1)
        figures: list[Figure] = []
        for size in SIZES:
            created, deleted = lived(stage, size)
            figures += figures_of(f"cloud.create_{size}", created, size, MOST_TO_CREATE)
            figures += figures_of(f"cloud.delete_{size}", deleted, size, MOST_TO_DELETE)
            if size == 1:
                figures.append(Figure("cloud.first", cold.without_again - created.without_again, "requests"))
    return Section("What a cluster asks of OpenStack", ABOUT, tuple(figures))


def lived(stage: "Stage", size: int) -> tuple[Taken, Taken]:
    """Create a cluster and delete it; return what each took."""
    from chalicelib.models.status import JobStatus, Status

    stage.proxy.passed.clear()
    cluster = stage.created(size)
    created = told(f"create {size}", stage)
    if cluster.status != Status.ACTIVE:
        raise SystemExit(f"The cluster is {cluster.status}: {cluster.message}")
    if (job := stage.delete(cluster)).status != JobStatus.SUCCEEDED:
        raise SystemExit(f"It was not deleted: {job.message}")
    return created, told(f"delete {size}", stage)


def told(what: str, stage: "Stage") -> Taken:
    """Return what passed since, and show it."""
    requests = [request for request, _ in stage.proxy.passed]
    stage.proxy.passed.clear()
    tell(f"{what}:")
    for kind, times in Counter(each.kind for each in requests).most_common():
        tell(f"  {times} {kind}")
    return Taken.of(requests)


def figures_of(name: str, taken: Taken, size: int, most: float) -> Iterator[Figure]:
    yield Figure(name, taken.by_service.total(), "requests")
    yield Figure(f"{name}.again", taken.again, "requests")
    yield Figure(f"{name}.of_an_instance", taken.without_again / size, "requests", most=most)
    for service, requests in sorted(taken.by_service.items()):
        yield Figure(f"{name}.{service}", requests, "requests")


@contextmanager
def staged() -> "Iterator[Stage]":
    """The service in this process with the patience it has in AWS, and the cloud behind a proxy."""
    from tests import conftest  # first of all: its settings are those of this process  # isort: skip

    from chalicelib.steps import world
    from local.openstack import __main__ as openstack
    from tests.openstack.faults.proxy import Proxy
    from tests.openstack.faults.stage import Stage

    with openstack.running(), conftest.account_in_moto(), Proxy().open() as proxy:
        conftest.offer()
        stage = Stage(proxy=proxy, pace=1.0)
        stage.install()
        world.current().patience_seconds = Config.dtrove_patience_seconds
        try:
            yield stage
        finally:
            stage.uninstall()
            stage.remove_all()


if __name__ == "__main__":
    print(measure().to_json())
