"""Who is asking: a token becomes a caller, by Keystone or by the embedded default's static tokens."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Protocol

from chalicelib import config
from chalicelib.api.access_rules import AccessRule
from chalicelib.errors import Forbidden, NotFound, Unauthorized

UNAUTHENTICATED = "The request you have made requires authentication."


@dataclass(frozen=True)
class Caller:
    project_id: str | None  # None: the token is of no project, but of a domain, the system or nothing
    user: str
    roles: frozenset[str]
    access_rules: tuple[AccessRule, ...] | None = None  # of an application credential; None: whatever its roles may

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def may_change(self) -> bool:
        """Whether a view that shows and changes by the same route may change something."""
        return any(RANKS.get(each, -1) >= RANKS["member"] for each in self.roles)

    def may_send(self, method: str, path: str) -> bool:
        return self.access_rules is None or any(rule.allows(method, path) for rule in self.access_rules)


class Identity(Protocol):
    def caller_of(self, token: str) -> Caller:
        """Raises Unauthorized for a token that is unknown, expired or revoked, Unavailable if nobody can tell."""
        ...


class StaticTokens:
    """The embedded default: tokens in the settings, by their SHA-256, so that none is readable there."""

    def __init__(self, tokens: str) -> None:
        self._callers = {
            digest: Caller(each["project_id"], each["user"], frozenset(each["roles"]))
            for digest, each in json.loads(tokens).items()
        }

    def caller_of(self, token: str) -> Caller:
        caller = self._callers.get(sha256(token.encode()).hexdigest())
        if caller is None:
            raise Unauthorized(UNAUTHENTICATED)
        return caller


RANKS = {"reader": 0, "member": 1, "admin": 2}  # each may do what those before it may


@cache
def identity() -> Identity:
    settings = config.current()
    if settings.dtrove_identity == "keystone":
        from chalicelib.api.keystone import KeystoneIdentity  # noqa: PLC0415 - 0.2 s that static tokens do without

        return KeystoneIdentity.of(settings)
    return StaticTokens(settings.dtrove_tokens)


def authorized(token: str | None, project_id: str, role: str, method: str, path: str) -> Caller:
    """Return the caller if the token is of the project and of that role at least, and for such requests.

    `path` is from /v1.0 on, as it came.

    Raises Unauthorized, Forbidden, Unavailable; NotFound for another project's path.
    """
    if not token:
        raise Unauthorized(UNAUTHENTICATED)
    caller = identity().caller_of(token)
    if not caller.may_send(method, path):
        raise Unauthorized("The access rules of the application credential do not allow this request.")
    if caller.project_id is None:
        raise Forbidden("The token is not of a project.")
    if caller.project_id != project_id and not caller.is_admin:
        raise NotFound("The resource could not be found.")
    if max((RANKS.get(each, -1) for each in caller.roles), default=-1) < RANKS[role]:
        if role == "admin":  # Trove's own answer to a non-admin
            raise Unauthorized("User does not have admin privileges.")
        raise Forbidden("You are not authorized to perform this action.")
    return caller
