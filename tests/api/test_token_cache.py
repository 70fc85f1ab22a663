"""The cache of tokens: bounded, by hash, counted."""

from chalicelib.api.auth import Caller
from chalicelib.api.token_cache import TokenCache

CALLER = Caller("p1", "u1", frozenset({"member"}))


def cache_of(size: int) -> TokenCache:
    return TokenCache(60, clock=lambda: 1000, size=size)


def known(cache: TokenCache, token: str) -> bool:
    return cache.find(token)[0] is not None


def test_the_one_asked_about_longest_ago_makes_room() -> None:
    cache = cache_of(2)
    for token in ("a", "b", "a", "c"):
        cache.accept(token, CALLER, 9999)

    assert [known(cache, each) for each in "abc"] == [True, False, True]


def test_a_flood_of_bad_tokens_pushes_out_no_good_one() -> None:
    cache = cache_of(2)
    cache.accept("good", CALLER, 9999)
    for number in range(100):
        cache.refuse(f"bad {number}")

    assert known(cache, "good")
    assert sum(known(cache, f"bad {number}") for number in range(100)) == 2


def test_the_latest_verdict_counts() -> None:
    cache = cache_of(2)

    for is_accepted in (True, False, True):
        verdict = cache.accept("t", CALLER, 9999) if is_accepted else cache.refuse("t")
        assert cache.find("t") == (verdict, True)
        assert (verdict.caller is CALLER) == is_accepted


def test_nothing_in_it_tells_a_token() -> None:
    cache = cache_of(2)
    cache.accept("a token", CALLER, 9999)
    cache.refuse("another token")

    assert "token" not in repr({name: value for name, value in vars(cache).items() if name != "_clock"}.values())


def test_hits_and_misses_are_counted() -> None:
    cache = cache_of(2)
    for token in ("t", "t", "u"):
        cache.find(token)
        cache.accept("t", CALLER, 9999)

    assert (cache.hits, cache.misses) == (1, 2)
