"""Asking Keystone about tokens, as the service's own user. With own_user.py it alone imports keystoneauth1."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError
from keystoneauth1.exceptions import ClientException
from keystoneauth1.exceptions.connection import ConnectionError as NoAnswer
from keystoneauth1.exceptions.http import HttpServerError, Unauthorized
from keystoneauth1.session import Session
from requests.adapters import HTTPAdapter

from chalicelib import aws
from chalicelib.api.own_user import OwnUser
from chalicelib.api.token_cache import Clock
from chalicelib.config import Config
from chalicelib.errors import Unavailable

PATIENCE = 2.0, 5.0  # seconds to connect, and for an answer: two tries fit into the 29 s that a gateway waits
RESPITE_SECONDS = 3.0  # after Keystone did not answer, or refused ourselves: who waits longest waits once
CANNOT_ASK = "The identity service cannot be asked now; try again."
RULES_ARE_KEPT = {"OpenStack-Identity-Access-Rules": "1.0"}  # or Keystone refuses tokens that have such rules
OK, NOT_FOUND, SERVER_ERROR = 200, 404, 500
FAULTS = (  # Keystone's, those of an answer or a secret that is no JSON or another's, and those of AWS about the secret
    *(ClientException, LookupError, TypeError, ValueError),
    *(BotoCoreError, ClientError),
)
log = logging.getLogger("dtrove")


class Hasty(HTTPAdapter):
    """Has our time-outs, whoever sends."""

    def __init__(self, patience: tuple[float, float]) -> None:
        super().__init__()
        self._patience = patience

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request, *args, **{**kwargs, "timeout": self._patience})


class KeystoneSession:
    """Its own token is taken when first needed, and anew when it ends or Keystone refuses it (by keystoneauth1)."""

    def __init__(
        self,
        settings: Config,
        clock: Clock = time.time,
        patience: tuple[float, float] = PATIENCE,
        read_secret: Callable[[str], str] = aws.secret,
    ) -> None:
        self._url = _v3(settings.os_auth_url)
        self._own_user = OwnUser(settings, self._url, read_secret)
        self._clock = clock
        self._silent_until = 0.0
        connections = requests.Session()
        connections.mount("http://", Hasty(patience))
        connections.mount("https://", Hasty(patience))
        # No redirect is followed: a token is for Keystone alone.
        self._session = Session(session=connections, redirect=False)

    def validated(self, token: str) -> Mapping[str, Any] | None:
        """Return what Keystone tells of the token; None if it is unknown, expired or revoked. Raises Unavailable."""
        if self._clock() < self._silent_until:
            raise Unavailable(CANNOT_ASK)
        try:
            answer = self._asked(token)
            if answer.status_code == NOT_FOUND:
                return None
            if answer.status_code == OK:
                return _token_of(answer.json())
            log.error("Keystone answered %d about a token", answer.status_code)
        except FAULTS as error:
            log.error("Keystone cannot be asked: %s", type(error).__name__)
            if not isinstance(error, ValueError):
                self._silent_until = self._clock() + RESPITE_SECONDS
        raise Unavailable(CANNOT_ASK)

    def _asked(self, token: str) -> requests.Response:
        """Ask, and once more if there is no answer: a connection kept while the worker was frozen may be dead."""
        try:
            answer = self._ask(token)
            if answer.status_code < SERVER_ERROR:
                return answer
        except (NoAnswer, HttpServerError):  # the latter: about our own token
            pass
        except Unauthorized:  # we ourselves are: the secret may be another by now
            if (credential := self._own_user.renewed()) is None:
                raise
            self._session.auth = credential
        return self._ask(token)

    def _ask(self, token: str) -> requests.Response:
        if self._session.auth is None:
            self._session.auth = self._own_user.credential()
        headers = {"X-Subject-Token": token, "Accept": "application/json", **RULES_ARE_KEPT}
        url = f"{self._url}/auth/tokens?nocatalog"
        return self._session.get(url, headers=headers, authenticated=True, raise_exc=False, log=False)


def _token_of(body: Any) -> Mapping[str, Any]:
    token = body["token"]
    if not isinstance(token, dict):
        raise TypeError
    return token


def _v3(auth_url: str) -> str:
    url = auth_url.rstrip("/")
    return url if url.endswith("/v3") else f"{url}/v3"
