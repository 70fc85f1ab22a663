"""One policy a function, proven: all it allows is asked for, all that is asked is allowed, and each line is needed."""

import pytest

from tests.embedded.by_hand import ByHand
from tests.embedded.policies import FUNCTIONS, allows, calls, pairs, statements
from tests.embedded.service import Embedded
from tests.embedded.tour import tour

pytestmark = pytest.mark.aws

OF_LAMBDA = {"LambdaLogs", "LambdaKeepsWhatFailed"}  # what Lambda itself does as the function, in AWS alone


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
