"""Services of the cloud that are down for a while, counted in what the workflow asks and waits for: no clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from chalicelib.providers.openstack.labels import moment_of
from local.openstack import services
from local.openstack.catalog import ADMIN, connected
from tests.openstack.faults.proxy import Answer, PassOn, Request
from tests.openstack.faults.stage import Stage
from tests.openstack.scene import until

When = Callable[[Request], bool]


def at_once(request: Request) -> bool:
    return True


def of(service: str, method: str, ending: str) -> When:
    return lambda request: request.is_of(service, method, ending)


def start(*names: str) -> None:
    """Have the services run, and the computes have said so: one that does not listen yet loses what it is asked."""
    began = datetime.now(UTC).replace(microsecond=0)
    stopped = [services.named(name) for name in names]
    services.start(*stopped)
    services.await_ready(*stopped)
    with connected(ADMIN) as admin:
        until(lambda: began < min(map(last_word, admin.compute.services(binary="nova-compute"))), "computes report")


def last_word(compute: Any) -> datetime:
    return moment_of(compute.updated_at)


@contextmanager
def down(*names: str) -> Iterator[None]:
    """Have the services down for the length of the block."""
    stopped = [services.named(name) for name in names]
    try:
        services.stop(*stopped)
        yield
    finally:
        start(*names)


@contextmanager
def outage(stage: Stage, *names: str, when: When, waits: int, passes: bool = True) -> Iterator[list[int]]:
    """Have the services go down at a request and come up after so many waits; whatever happens, in the end they run.

    The request itself is answered by a cut connection, its effect being there if it `passes` first. Yields how many
    times the workflow had waited by then.
    """
    began: list[int] = []
    stopped = [services.named(name) for name in names]

    def fault(request: Request, pass_on: PassOn) -> Answer | None:
        if began or not when(request):
            return pass_on()
        if passes:
            pass_on()
        began.append(stage.waits)
        services.stop(*stopped)
        return None if passes else pass_on()

    def on_wait(so_far: int) -> None:
        if began and so_far == began[0] + waits:
            start(*names)

    stage.on_wait = on_wait
    try:
        with stage.proxy.failing(fault):
            yield began
    finally:
        stage.on_wait = lambda waits: None
        start(*names)
