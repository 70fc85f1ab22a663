"""Throttling: so many requests of a project a minute, over all workers, and what a client is told beyond them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import config
from chalicelib.api import throttle
from chalicelib.models import record
from chalicelib.models.rate import Rate
from tests.api.client import ApiCaller
from tests.api.test_request_counts import counted

pytestmark = pytest.mark.usefixtures("catalog")
member, reader, other = ApiCaller(), ApiCaller("reader"), ApiCaller("other", "p2")


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set limits; the clock stands 20 s into a minute."""

    def limit(reads: int = -1, writes: int = -1) -> None:
        settings = replace(config.current(), dtrove_reads_per_minute=reads, dtrove_writes_per_minute=writes)
        monkeypatch.setattr(config, "current", lambda: settings)

    record.clock = lambda: datetime(2026, 11, 24, 12, 0, 20, tzinfo=UTC)
    throttle._shares.clear()
    yield limit
    record.clock = record.utc
    throttle._shares.clear()


def another_worker() -> None:
    throttle._shares.clear()


def statuses(count: int, caller: ApiCaller = member, method: str = "GET", path: str = "/flavors") -> list[int]:
    return [caller.send(method, path).status for _ in range(count)]


def test_a_limit_of_none_lets_none_in(limited: Callable[..., None]) -> None:
    limited(writes=0)

    assert statuses(2, method="POST", path="/configurations") == [413, 413]


def test_beyond_its_limit_a_project_is_told_when_to_come_again(limited: Callable[..., None]) -> None:
    limited(reads=3)

    assert statuses(3) == [200, 200, 200]
    answer = member.get("/flavors")
    assert answer.status == 413
    assert answer.headers["Retry-After"] == "40"
    assert answer.body["overLimit"]["retryAfter"] == 40
    assert "3 reads a minute" in answer.body["overLimit"]["message"]


def test_the_limit_holds_over_workers_and_users_of_a_project(limited: Callable[..., None]) -> None:
    limited(reads=3)

    assert statuses(2) == [200, 200]
    another_worker()
    assert statuses(2, reader) == [200, 413]
    assert statuses(1, other) == [200]


def test_reads_and_writes_are_counted_apart(limited: Callable[..., None]) -> None:
    limited(reads=1, writes=1)

    assert statuses(2) == [200, 413]
    assert statuses(2, method="DELETE", path="/instances/none") == [404, 413]


def test_the_next_minute_is_another(limited: Callable[..., None]) -> None:
    limited(reads=1)

    assert statuses(2) == [200, 413]
    noon = datetime(2026, 11, 24, 12, 0, 20, tzinfo=UTC)
    record.clock = lambda: noon + timedelta(minutes=1)
    assert statuses(2) == [200, 413]


def test_most_requests_cost_no_count_of_their_own(limited: Callable[..., None]) -> None:
    limited(reads=1_000)

    with counted() as calls:
        assert statuses(20) == [200] * 20
    assert calls.count("UpdateItem") == 2


def test_one_that_is_refused_costs_nothing(limited: Callable[..., None]) -> None:
    limited(reads=1)
    statuses(2)

    with counted() as calls:
        assert statuses(5) == [413] * 5
    assert calls == []


def test_who_is_not_let_in_is_not_counted(limited: Callable[..., None]) -> None:
    limited(reads=1)

    assert statuses(2, ApiCaller("unknown")) == [401, 401]
    assert Rate.count() == 0


def test_counts_go_within_hours(limited: Callable[..., None]) -> None:
    limited(reads=1)
    statuses(1)

    [rate] = Rate.scan()
    assert rate.expires_at <= record.now() + timedelta(hours=2)


def test_limits_tell_what_is_left(limited: Callable[..., None]) -> None:
    limited(reads=5, writes=7)
    statuses(1)

    absolute, *rates = member.get("/limits").body["limits"]

    assert absolute["verb"] == "ABSOLUTE"
    assert [(each["verb"], each["value"], each["remaining"]) for each in rates] == [
        ("GET", 5, 3),
        *((verb, 7, 7) for verb in ("POST", "PUT", "PATCH", "DELETE")),
    ]
    assert {each["nextAvailable"] for each in rates} == {"2026-11-24T12:01:00"}
    assert {(each["unit"], each["uri"], each["regex"]) for each in rates} == {("MINUTE", "*", ".*")}
