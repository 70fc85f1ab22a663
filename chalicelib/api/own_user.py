"""Who we are to Keystone: the service's own user, of the settings or of a secret, which is read again when refused."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from keystoneauth1.identity.v3 import ApplicationCredential, Password
from keystoneauth1.identity.v3.base import BaseAuth

from chalicelib import aws
from chalicelib.config import Config


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
        settings, secret = self._settings, self._secret
        common: dict[str, Any] = {"include_catalog": False}
        if credential_id := secret.get("application_credential_id") or settings.os_application_credential_id:
            return ApplicationCredential(
                self._url,
                application_credential_id=credential_id,
                application_credential_secret=secret.get("application_credential_secret")
                or settings.os_application_credential_secret
                or "",
                **common,
            )
        return Password(
            self._url,
            username=secret.get("username") or settings.os_username,
            password=secret.get("password") or settings.os_password or "",
            user_domain_name=settings.os_user_domain_name,
            project_id=settings.os_project_id,
            project_name=None if settings.os_project_id else settings.os_project_name,
            project_domain_name=settings.os_project_domain_name,
            **common,
        )
