import pytest

from chalicelib.ssh.guest import UnitState
from tests.fake_guest import FakeGuest


def test_a_command_nobody_told_it_of_is_refused() -> None:
    with pytest.raises(AssertionError, match="rm -rf"):
        FakeGuest({"true": ""}).run("rm -rf /")


def test_replies_are_found_by_the_line_with_its_input_or_by_the_command_alone() -> None:
    guest = FakeGuest({"mariadb": "any", "mariadb <<< SELECT 1": "1"})

    assert guest.run("mariadb", stdin="SELECT 1") == "1"
    assert guest.run("mariadb", stdin="SELECT 2") == "any"
    assert guest.script == ["mariadb <<< SELECT 1", "mariadb <<< SELECT 2"]


def test_a_unit_is_started_once_until_it_is_forgotten() -> None:
    guest = FakeGuest(endings={"dtrove-work": UnitState.FAILED})

    guest.start("dtrove-work", "work {word}", word="a b")
    guest.start("dtrove-work", "work {word}", word="a b")
    assert guest.state("dtrove-work") is UnitState.FAILED
    guest.forget("dtrove-work")

    assert guest.state("dtrove-work") is UnitState.NOT_STARTED
    assert guest.script == ["dtrove-work: work 'a b'"]
