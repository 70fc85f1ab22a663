"""Tokens: how often Keystone is asked about them, for an hour of people, programs and dashboards."""

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Section, percentile, tell
from chalicelib.api.keystone import KeystoneIdentity
from chalicelib.api.keystone_session import KeystoneSession
from chalicelib.api.token_cache import TokenCache
from chalicelib.config import Config
from chalicelib.errors import Unauthorized
from tests.api.scripted_keystone import PASSWORD, scripted_keystone, token_reply

ABOUT = """\
Validated tokens for an hour of a mix of callers, with `DTROVE_TOKEN_CACHE_SECONDS` as it is by default and a Keystone
on loopback that is scripted but asked over HTTP; time is the script's. Forty people give a command of the stock
client every three minutes: a new token each time, three requests within a second. Ten programs wait for something,
one request each 5 s; twenty dashboards ask for three lists every half minute; both keep their token for the hour. One
robot sends a revoked token each 10 s. *hit_rate* is the share of requests whose token needed no question, with all of
them in one warm worker, and spread over four at random. *asked* is how many questions that leaves for each thousand
requests. *miss* and *hit* are the milliseconds of one validation.
"""
SECONDS = 3600
PEOPLE, COMMAND_EVERY, REQUESTS_OF_A_COMMAND = 40, 180, 3
PROGRAMS, POLL_EVERY = 10, 5
DASHBOARDS, LOOK_EVERY, LISTS = 20, 30, 3
ROBOT_EVERY = 10
WORKERS = 1, 4
REVOKED = "revoked"
BEGAN = 2_000_000_000.0


@dataclass
class Clock:
    now: float = BEGAN

    def __call__(self) -> float:
        return self.now


@dataclass
class Times:
    hits: list[float] = field(default_factory=list)  # milliseconds
    misses: list[float] = field(default_factory=list)


def requests() -> list[tuple[float, str]]:
    """Return when each request comes, and its token."""
    chance = random.Random(1)  # noqa: S311 - the same hour each time
    found = [(at, REVOKED) for at in range(0, SECONDS, ROBOT_EVERY)]
    for who in range(PEOPLE):
        for at in range(chance.randrange(COMMAND_EVERY), SECONDS, COMMAND_EVERY):
            found += [(at + 0.3 * each, f"person {who} at {at}") for each in range(REQUESTS_OF_A_COMMAND)]
    for who in range(PROGRAMS):
        found += [(at, f"program {who}") for at in range(chance.randrange(POLL_EVERY), SECONDS, POLL_EVERY)]
    for who in range(DASHBOARDS):
        for at in range(chance.randrange(LOOK_EVERY), SECONDS, LOOK_EVERY):
            found += [(at + 0.1 * each, f"dashboard {who}") for each in range(LISTS)]
    return sorted((at, token.replace(" ", "-")) for at, token in found)


def measure() -> Section:
    hour = requests()
    figures = [figure for workers in WORKERS for figure in of_workers(hour, workers)]
    return Section("Tokens", ABOUT, tuple(figures))


def of_workers(hour: list[tuple[float, str]], workers: int) -> Iterator[Figure]:
    chance, clock, times = random.Random(2), Clock(), Times()  # noqa: S311
    with scripted_keystone() as running:
        settings = Config(os_auth_url=running.url, os_username="s", os_password=PASSWORD, os_project_name="service")
        caches = [TokenCache(settings.dtrove_token_cache_seconds, clock) for _ in range(workers)]
        session = KeystoneSession(settings, clock)  # one: the scripted Keystone lets only the last token of ours ask
        found = [KeystoneIdentity(session, each) for each in caches]
        running.keystone.replies = {token: token_reply("member") for _, token in hour if token != REVOKED}
        for at, token in hour:
            clock.now = BEGAN + at
            ask(chance.choice(found), token, times)
        asked = len(running.keystone.asked)
    hits = sum(each.hits for each in caches)
    tell(f"tokens: {workers} workers: {hits} hits of {len(hour)}, asked {asked} times")
    name = f"tokens.{workers}_worker{'s' if workers > 1 else ''}"
    yield Figure(f"{name}.hit_rate", 100 * hits / len(hour), "%", note=f"of {len(hour)} requests")
    yield Figure(f"{name}.asked", 1000 * asked / len(hour), "per 1,000 requests")
    yield Figure(f"{name}.miss_p50", percentile(times.misses, 50), "ms")
    yield Figure(f"{name}.hit_p50", percentile(times.hits, 50), "ms")


def ask(identity: KeystoneIdentity, token: str, times: Times) -> None:
    before, began = identity.cache.hits, time.perf_counter()
    with suppress(Unauthorized):
        identity.caller_of(token)
    spent = (time.perf_counter() - began) * 1000
    (times.hits if identity.cache.hits > before else times.misses).append(spent)


if __name__ == "__main__":
    print(measure().to_json())
