"""A proxy that fails before the cloud: a cluster comes up nevertheless, once and whole, and goes without a trace."""

from collections.abc import Callable
from itertools import cycle

import pytest

from chalicelib.models.status import JobStatus, Status
from tests.openstack.faults import mishaps
from tests.openstack.faults.mishaps import EachOnce
from tests.openstack.faults.proxy import Answer, Fault, PassOn, Request
from tests.openstack.faults.stage import Stage, outcome

pytestmark = pytest.mark.openstack
ONE = {  # of a cluster of one with a volume, open to the public, whose servers would be kept apart
    "server": 1,
    "server group": 1,
    "port": 1,
    "security group": 2,
    "floating IP": 1,
    "volume": 1,
}


def live(stage: Stage, between: Callable[[], None] = lambda: None) -> None:
    """From order to ACTIVE, and to its end."""
    cluster = stage.created(is_public=True, locality="anti-affinity")
    assert outcome(cluster) == (Status.ACTIVE, None)
    assert {kind: count for kind, count in stage.made().items() if kind != "key pair"} == ONE  # those go in the end
    assert ingress(stage) == {"its cluster", 6379, *stage.settings.our_networks}
    between()
    stage.delete_all_of(cluster)


def ingress(stage: Stage) -> set[object]:
    """Return who is let in by the groups of the one instance."""
    made = stage.holdings()["security group"] - stage.first["security group"]
    groups = [stage.direct.connection.network.get_security_group(each) for each in made]
    rules = [rule for group in groups for rule in group.security_group_rules or () if rule["direction"] == "ingress"]
    return {whom(rule) for rule in rules}


def whom(rule: dict[str, object]) -> object:
    if rule["remote_group_id"] == rule["security_group_id"]:
        return "its cluster"
    return rule["port_range_min"] or rule["remote_ip_prefix"]


def test_every_request_may_lose_its_answer(stage: Stage) -> None:
    """Life after life, until there is one in which none has an answer that was not lost in another."""
    walk, lost = EachOnce(mishaps.told_502, mishaps.cut, mishaps.half), [1]

    def go_on() -> None:
        lost.append(walk.lost)
        walk.begin()

    while any(lost[-2:]):
        with stage.proxy.failing(walk):
            live(stage, between=go_on)
        go_on()
    assert sum(lost) > 25, lost


def test_the_cloud_is_overloaded(stage: Stage) -> None:
    """Of all that is asked, tokens among it, each seventh is refused: five in each workflow, of what a step bears."""
    left: list[Fault] = []
    asked = cycle(range(7))

    def begin() -> None:
        left[:] = [
            mishaps.refusing(503, Retry_After="1"),
            mishaps.refusing(429, Retry_After="1"),
            mishaps.refusing(500),
            mishaps.refusing(502),
            mishaps.unreachable,
        ]

    def overloaded(request: Request, pass_on: PassOn) -> Answer | None:
        return left.pop()(request, pass_on) if left and next(asked) == 0 else pass_on()

    begin()
    with stage.proxy.failing(overloaded):
        live(stage, between=begin)
    assert not left


def test_an_answer_that_does_not_come_is_given_up(stage: Stage) -> None:
    waiting = [("nova", "POST", "/servers"), ("cinder", "POST", "/volumes")]

    def late(request: Request, pass_on: PassOn) -> Answer | None:
        for each in waiting:
            if request.is_of(*each):
                waiting.remove(each)
                return mishaps.endless(request, pass_on)
        return pass_on()

    with stage.proxy.failing(late):
        live(stage)
    assert not waiting


@pytest.mark.parametrize(
    ("service", "method", "ending", "fault", "words"),
    [
        ("nova", "POST", "/servers", mishaps.refusing(500), "The cloud answers 500"),
        ("nova", "POST", "/servers", mishaps.refusing(429, Retry_After="7"), "asks to come again in 7 s"),
        ("cinder", "POST", "/volumes", mishaps.unreachable, "The cloud does not answer"),
        ("keystone", "POST", "/auth/tokens", mishaps.refusing(503), "The cloud does not answer"),
        ("keystone", "POST", "/auth/tokens", mishaps.refusing(429), "asks to come again"),
    ],
)
def test_what_never_passes_is_said_and_what_it_left_can_be_deleted(
    stage: Stage, service: str, method: str, ending: str, fault: Fault, words: str
) -> None:
    def failing(request: Request, pass_on: PassOn) -> Answer | None:
        return fault(request, pass_on) if request.is_of(service, method, ending) else pass_on()

    stage.hurry()
    with stage.proxy.failing(failing):
        cluster = stage.created()

    status, message = outcome(cluster)
    assert (status, words in str(message)) == (Status.ERROR, True), message
    stage.relax()
    stage.delete_all_of(cluster)


def test_a_deletion_that_was_given_up_is_asked_for_again(stage: Stage) -> None:
    cluster = stage.created()

    stage.hurry()
    with stage.proxy.failing(mishaps.unreachable):
        job = stage.delete(cluster)

    assert (job.status, "does not answer" in str(job.message)) == (JobStatus.FAILED, True)
    stage.relax()
    stage.delete_all_of(cluster)
