"""One policy a function, proven: all it allows is asked for, all that is asked is allowed, and each line is needed."""

import pytest

from local.api import ApiError
from tests.embedded.by_hand import ByHand
from tests.embedded.policies import FUNCTIONS, allows, calls, denials, pairs, statements, without
from tests.embedded.service import Embedded
from tests.embedded.tour import ORDER, ends, leave, tour

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("embedded")]

# What Lambda itself does as the function, in AWS alone:
OF_LAMBDA = {"LambdaLogs", "LambdaKeepsWhatFailed", "LambdaReadsChanges"}
SAMPLE = [
    ("APIHandler", "CountUse"),
    ("Records", "Forget"),
    ("Cloud", "NoteServers"),
    ("Guest", "Unseal"),
    ("Reads", "Unseal"),
    ("Sweep", "ListOpenJobs"),
    ("SweepCloud", "RefreshFlavors"),
]


@pytest.fixture(scope="module")
def toured(by_hand: ByHand) -> Embedded:
    tour(by_hand.service)
    return by_hand.service


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_action_on_each_resource_is_asked_for(toured: Embedded, function: str) -> None:
    asked = calls(toured, function)

    unused = [
        f"{each['Sid']}: {each['Action'][0]} {each['Resource'][0]}"
        for statement in statements(toured, function)
        if statement["Sid"] not in OF_LAMBDA
        for each in pairs(statement)
        if not any(allows([each], call) for call in asked)
    ]
    assert unused == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_that_is_asked_for_is_denied(toured: Embedded, function: str) -> None:
    assert denials(toured, function) - toured.provoked == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_without_any_statement_something_would_be_denied(toured: Embedded, function: str) -> None:
    policy, asked = statements(toured, function), calls(toured, function)
    allowed = [call for call in asked if allows(policy, call)]

    spare = [
        each["Sid"]
        for each in policy
        if each["Sid"] not in OF_LAMBDA
        and all(allows([other for other in policy if other is not each], call) for call in allowed)
    ]
    assert spare == []


def one_life(service: Embedded) -> None:
    """The least that needs every sampled statement."""
    member = service.api()
    service.invoke("SweepCloud")
    made = member.post("/clusters", {"cluster": ORDER | {"name": "life", "size": 1}})["cluster"]
    ends(member, made["job_id"])
    member.get(f"/instances/{made['instances'][0]['id']}/databases")
    service.invoke("Sweep")
    leave(member, made["id"])


def test_one_life_passes(service: Embedded) -> None:
    one_life(service)


@pytest.mark.parametrize(("function", "sid"), SAMPLE)
def test_a_statement_taken_away_makes_it_fail(service: Embedded, function: str, sid: str) -> None:
    with without(service, function, sid), pytest.raises((AssertionError, ApiError)):
        one_life(service)
