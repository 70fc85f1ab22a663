"""Who we are to Keystone: the service's own user, of the settings or of a secret, which is read again when refused."""

import json
from collections.abc import Callable, Mapping

from keystoneauth1.identity.v3.base import BaseAuth

from chalicelib import aws
from chalicelib.config import Config
from chalicelib.credentials import credential_of


class OwnUser:
    """`read_secret` is asked when a credential is first needed, and when Keystone refused the one it told."""

    def __init__(self, settings: Config, url: str, read_secret: Callable[[str], str] = aws.secret) -> None:
        self._settings, self._url, self._read_secret = settings, url, read_secret
        self._secret: Mapping[str, str] = {}

    def credential(self) -> BaseAuth:
        """Return what authenticates us. Raises ValueError or TypeError if the secret is no JSON object, and AWS's."""
        if self._settings.dtrove_cloud_secret and not self._secret:
            self._secret = self._read()
        return self._made()

    def renewed(self) -> BaseAuth | None:
        """Return it anew after a refusal; None if there is none but the one that was refused. Raises as before."""
        if not self._settings.dtrove_cloud_secret or (secret := self._read()) == self._secret:
            return None
        self._secret = secret
        return self._made()

    def _read(self) -> Mapping[str, str]:
        told: Mapping[str, str] = json.loads(self._read_secret(str(self._settings.dtrove_cloud_secret)))
        return {name: str(value) for name, value in dict(told).items()}

    def _made(self) -> BaseAuth:
        return credential_of(self._settings, self._secret, self._url, include_catalog=False)
