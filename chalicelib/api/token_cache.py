"""What Keystone said of tokens, for as long as it counts; kept by the tokens' SHA-256."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.api.auth import Caller

SIZE = 1024  # tokens of each kind, about 1 KB each
REFUSED_SECONDS = 5.0  # a bad token asks Keystone no more often

Clock = Callable[[], float]  # seconds since 1970


@dataclass(frozen=True)
class Verdict:
    caller: Caller | None  # None: refused
    fresh_until: float
    ends_at: float  # whatever else; an accepted one is honoured until then if Keystone cannot be asked


class TokenCache:
    """Accepted and refused tokens, apart: a flood of bad ones does not push out good ones."""

    def __init__(self, fresh_seconds: float, clock: Clock = time.time, size: int = SIZE) -> None:
        self._fresh_seconds, self._clock, self._size = fresh_seconds, clock, size
        self._accepted: OrderedDict[str, Verdict] = OrderedDict()
        self._refused: OrderedDict[str, Verdict] = OrderedDict()
        self.hits = self.misses = 0  # since the process began

    def find(self, token: str) -> tuple[Verdict | None, bool]:
        """Return what is known of the token, if it has not ended, and whether that is fresh: a hit."""
        key, now = _key(token), self._clock()
        verdict = self._accepted.get(key) or self._refused.get(key)
        if verdict is not None and now >= verdict.ends_at:
            verdict = None
        is_fresh = verdict is not None and now < verdict.fresh_until
        self.hits += is_fresh
        self.misses += not is_fresh
        return verdict, is_fresh

    def accept(self, token: str, caller: Caller, expires_at: float) -> Verdict:
        """Keep it until `expires_at`, in seconds since 1970; one that ended by our own clock is refused."""
        if (now := self._clock()) >= expires_at:
            return self.refuse(token)
        self._refused.pop(_key(token), None)
        return self._keep(self._accepted, token, Verdict(caller, now + self._fresh_seconds, expires_at))

    def refuse(self, token: str) -> Verdict:
        self._accepted.pop(_key(token), None)
        until = self._clock() + REFUSED_SECONDS
        return self._keep(self._refused, token, Verdict(None, until, until))

    def _keep(self, verdicts: OrderedDict[str, Verdict], token: str, verdict: Verdict) -> Verdict:
        verdicts.pop(_key(token), None)  # what was asked for last is the newest
        verdicts[_key(token)] = verdict
        while len(verdicts) > self._size:
            verdicts.popitem(last=False)
        return verdict


def _key(token: str) -> str:
    return sha256(token.encode()).hexdigest()
