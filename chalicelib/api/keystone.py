"""Callers as the cloud's Keystone knows them. Imported only where Keystone is chosen: keystoneauth1 takes 0.2 s."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.api.access_rules import AccessRule
from chalicelib.api.auth import UNAUTHENTICATED, Caller
from chalicelib.api.keystone_session import CANNOT_ASK, KeystoneSession
from chalicelib.api.token_cache import TokenCache, Verdict
from chalicelib.config import Config
from chalicelib.errors import Unauthorized, Unavailable

WELL_FORMED = re.compile(r"[\x21-\x7e]{1,4096}")  # Fernet's are 200 to 300 characters, JWS ones below 2000
log = logging.getLogger("dtrove")


class KeystoneIdentity:
    """Keystone's verdict on each token, kept for a while; while Keystone is down, for as long as the token lives."""

    projects: frozenset[str] = frozenset()  # clients ask Keystone itself

    def __init__(self, keystone: KeystoneSession, cache: TokenCache) -> None:
        self._keystone, self.cache = keystone, cache

    @classmethod
    def of(cls, settings: Config) -> "KeystoneIdentity":
        return cls(KeystoneSession(settings), TokenCache(settings.dtrove_token_cache_seconds))

    def caller_of(self, token: str) -> Caller:
        """Raises Unauthorized; Unavailable if Keystone does not answer and did not accept the token before."""
        if not WELL_FORMED.fullmatch(token):
            raise Unauthorized(UNAUTHENTICATED)
        verdict, is_fresh = self.cache.find(token)
        if not is_fresh:
            verdict = self._renewed(token, verdict)
        if verdict is None or verdict.caller is None:
            raise Unauthorized(UNAUTHENTICATED)
        return verdict.caller

    def _renewed(self, token: str, before: Verdict | None) -> Verdict:
        try:
            told = self._keystone.validated(token)
            if told is None:
                return self.cache.refuse(token)
            return self.cache.accept(token, *_read(told))
        except Unavailable:
            if before is None:
                raise
            log.warning("a token is honoured that Keystone accepted before")
            return before


def _read(told: Mapping[str, Any]) -> tuple[Caller, float]:
    """Return the caller and when the token ends, in seconds since 1970. Raises Unavailable for what is no token."""
    try:
        project = told.get("project")
        caller = Caller(
            project_id=str(project["id"]) if project else None,
            user=str(told["user"]["id"]),
            roles=frozenset(str(role["name"]).lower() for role in told.get("roles", ())),  # policies ignore their case
            access_rules=_rules_of(told.get("application_credential") or {}),
        )
        return caller, datetime.fromisoformat(told["expires_at"]).timestamp()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.error("Keystone's answer is not a token: %s", type(error).__name__)
        raise Unavailable(CANNOT_ASK) from None


def _rules_of(credential: Mapping[str, Any]) -> tuple[AccessRule, ...] | None:
    rules = credential.get("access_rules")
    if rules is None:
        return None
    return tuple(AccessRule(each["service"], each["method"], each["path"]) for each in rules)
