import pytest

from chalicelib.ssh.guest import UnitState
from chalicelib.ssh.script import unit_state


@pytest.mark.parametrize(
    ("shown", "state"),
    [
        ("LoadState=not-found\nActiveState=inactive\nSubState=dead\n", UnitState.NOT_STARTED),
        ("LoadState=loaded\nActiveState=inactive\nSubState=dead\nJob=0\n", UnitState.NOT_STARTED),
        ("LoadState=loaded\nActiveState=inactive\nSubState=dead\nJob=71\n", UnitState.RUNNING),
        ("LoadState=loaded\nActiveState=activating\nSubState=start\nJob=71\n", UnitState.RUNNING),
        ("LoadState=loaded\nActiveState=active\nSubState=running\n", UnitState.RUNNING),
        ("LoadState=loaded\nActiveState=deactivating\nSubState=stop-sigterm\n", UnitState.RUNNING),
        ("LoadState=loaded\nActiveState=active\nSubState=exited\n", UnitState.SUCCEEDED),
        ("LoadState=loaded\nActiveState=failed\nSubState=failed\n", UnitState.FAILED),
    ],
)
def test_what_systemd_shows_is_one_of_four_states(shown: str, state: UnitState) -> None:
    assert unit_state(shown) is state
