"""Who is asking: a token becomes a caller. Static tokens now; Keystone takes the same place."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Protocol

from chalicelib import config
from chalicelib.errors import Forbidden, NotFound, Unauthorized


@dataclass(frozen=True)
class Caller:
    project_id: str
    user: str
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


class Identity(Protocol):
    def caller_of(self, token: str) -> Caller:
        """Raises Unauthorized for a token that is unknown, expired or revoked."""
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
            raise Unauthorized("The request you have made requires authentication.")
        return caller


RANKS = {"reader": 0, "member": 1, "admin": 2}  # each may do what those before it may


@cache
def identity() -> Identity:
    return StaticTokens(config.current().dtrove_tokens)


def authorized(token: str | None, project_id: str, role: str) -> Caller:
    """Return the caller if the token is of the project and of that role at least.

    Raises Unauthorized, Forbidden; NotFound for another project's path.
    """
    if not token:
        raise Unauthorized("The request you have made requires authentication.")
    caller = identity().caller_of(token)
    if caller.project_id != project_id and not caller.is_admin:
        raise NotFound("The resource could not be found.")
    if max((RANKS.get(each, -1) for each in caller.roles), default=-1) < RANKS[role]:
        if role == "admin":  # Trove's own answer to a non-admin
            raise Unauthorized("User does not have admin privileges.")
        raise Forbidden("You are not authorized to perform this action.")
    return caller
