"""Patches fail loudly where they do not fit; and the arithmetic of retries."""

import pytest

from local.fidelity import apply
from local.fidelity.machines import retry_delay_seconds
from local.fidelity.rewriting import PatchDoesNotFit, rewrite


def sample(number: int) -> int:
    return number + 1


def test_rewriting_changes_the_function_for_all_who_hold_it() -> None:
    held = sample

    rewrite(sample, ("number + 1", "number + 2"))
    rewrite(sample, ("number + 2", "number + 30"))

    assert held(1) == 31


def test_a_patch_that_does_not_fit_is_named() -> None:
    def outdated_patch() -> None:
        rewrite(retry_delay_seconds, ("words that are not there", ""))

    with pytest.raises(PatchDoesNotFit, match=r"outdated_patch: retry_delay_seconds has 'words .*' 0 times"):
        apply([outdated_patch])


@pytest.mark.parametrize(
    ("retrier", "retries_before", "expected"),
    [
        ({}, 0, 1),
        ({"IntervalSeconds": 5, "BackoffRate": 2}, 3, 40),
        ({"IntervalSeconds": 5, "BackoffRate": 2, "MaxDelaySeconds": 15}, 3, 15),
        ({"IntervalSeconds": 100, "BackoffRate": 1}, 0, 100),
    ],
)
def test_retries_wait_as_written(retrier: dict[str, float], retries_before: int, expected: float) -> None:
    assert retry_delay_seconds(retrier, retries_before) == expected


def test_full_jitter_is_anything_up_to_the_delay() -> None:
    row = {"IntervalSeconds": 2, "BackoffRate": 2, "JitterStrategy": "FULL"}

    delays = [retry_delay_seconds(row, 1) for _ in range(200)]

    assert all(0 <= delay <= 4 for delay in delays)
    assert max(delays) - min(delays) > 1
