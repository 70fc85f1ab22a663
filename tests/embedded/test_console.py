"""Every workflow, started by hand with the text that statemachines/README.md says to paste."""

import pytest

from chalicelib.jobs.workflows import WORKFLOWS
from tests import console
from tests.embedded.by_hand import ByHand

pytestmark = [pytest.mark.aws, pytest.mark.xdist_group("embedded")]

API_ONLY = "change_accounts"


def test_the_readme_has_an_input_for_each_workflow_that_has_one() -> None:
    assert set(console.inputs()) == set(WORKFLOWS) - {API_ONLY}


@pytest.mark.parametrize("workflow", console.inputs())
def test_it_does_what_it_is_for(by_hand: ByHand, workflow: str) -> None:
    assert (by_hand.ended[workflow]["status"], by_hand.cause(workflow)) == ("SUCCEEDED", "")
    job = by_hand.job(workflow)
    assert (job["status"], job["requested_by"], job["workflow"]) == ("SUCCEEDED", "console", workflow)


def test_what_to_look_at_is_there(by_hand: ByHand) -> None:
    seen = by_hand.seen

    sizes = [len(seen[each]["instances"]) for each in ("create_cluster", "add_instance", "remove_instance")]
    assert sizes == [2, 3, 2]
    assert [seen[each]["status"] for each in ("stop_cluster", "start_cluster")] == ["STOPPED", "ACTIVE"]
    assert by_hand.job("perform")["output"].startswith("output of dtrove-perform")
    assert seen["delete_cluster"] is None
