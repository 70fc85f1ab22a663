"""What can happen to a request and to its answer; and to which of them it happens."""

import json
import time
from collections import Counter

from tests.openstack.faults.proxy import SLOWEST_SECONDS, Answer, Fault, PassOn, Request


# --- the effect takes place, and nobody hears of it
def told_502(request: Request, pass_on: PassOn) -> Answer | None:
    pass_on()
    return Answer(502, b"<html><h1>Bad Gateway</h1></html>", (("Content-Type", "text/html"),))


def told_500(request: Request, pass_on: PassOn) -> Answer | None:
    pass_on()
    body = json.dumps({"computeFault": {"message": "Unexpected API Error.", "code": 500}}).encode()
    return Answer(500, body, (("Content-Type", "application/json"),))


def cut(request: Request, pass_on: PassOn) -> Answer | None:
    pass_on()
    return None


def half(request: Request, pass_on: PassOn) -> Answer | None:
    answer = pass_on()
    return Answer(answer.status, answer.body, answer.headers, is_whole=False) if answer.body else None


def endless(request: Request, pass_on: PassOn) -> Answer | None:
    pass_on()
    time.sleep(SLOWEST_SECONDS)
    return None


# --- there is no effect
def refusing(status: int, **headers: str) -> Fault:
    told = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda request, pass_on: Answer(status, b"", told)


def unreachable(request: Request, pass_on: PassOn) -> Answer | None:
    return None


class EachOnce:
    """Every kind of request that changes something loses its answer once, and once more if there is a second of it.

    Of one workflow at most `MOST` do, since a step is tried seven times: so it goes on over several lives of a cluster.
    In the last of them none is left that has not lost its answer.
    """

    MOST, EVERY = 5, 3

    def __init__(self, *faults: Fault) -> None:
        self._faults = faults
        self._done: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """Go on with another workflow."""
        self._times = Counter[str]()
        self._since, self.lost = self.EVERY, 0

    def __call__(self, request: Request, pass_on: PassOn) -> Answer | None:
        if not request.is_change:
            return pass_on()
        self._times[request.kind] += 1
        self._since += 1
        kind = f"{request.kind} {min(self._times[request.kind], 2)}"
        if self._since < self.EVERY or self.lost == self.MOST or kind in self._done:
            return pass_on()
        fault = self._faults[len(self._done) % len(self._faults)]
        self._done.add(kind)
        self._since, self.lost = 0, self.lost + 1
        return fault(request, pass_on)
