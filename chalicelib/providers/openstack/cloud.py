"""The connection to the cloud: one for a warm Lambda, with its token; made anew when its credentials are refused."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keystoneauth1.session import Session
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.connection import Connection
from openstack.warnings import RemovedInSDK60Warning

from chalicelib import aws, checks
from chalicelib.config import Config
from chalicelib.credentials import credential_of
from chalicelib.errors import ConfigError, ProviderError

APP_NAME = "dtrove"
Secret = Mapping[str, str]
SECRETS = ("username", "password", "application_credential_id", "application_credential_secret")


@dataclass
class Cloud:
    """Connections of one set of settings. What `connection` returns is replaced by `renew`, so nobody keeps it.

    Raises ConfigError if the settings do not say who we are, or from where we come.
    """

    settings: Config
    read_secret: Callable[[str], str] = aws.secret
    _secret: Secret = field(default_factory=dict, repr=False)
    _connection: Connection | None = field(default=None, repr=False)
    names: dict[str, str] = field(default_factory=dict)  # what was looked up once: ids of names

    def __post_init__(self) -> None:
        if wrong := list(checks.openstack_faults(vars(self.settings))):
            raise ConfigError("; ".join(wrong))

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            if self.settings.dtrove_cloud_secret:
                self._secret = self._read()
            self._connection = connected(self.settings, self._secret)
        return self._connection

    def renew(self) -> bool:
        """After a refusal: take the secret as it is now. False if it is the one that was refused."""
        if not self.settings.dtrove_cloud_secret or (secret := self._read()) == self._secret:
            return False
        self._secret, self._connection = secret, connected(self.settings, secret)
        return True

    def _read(self) -> Secret:
        name = str(self.settings.dtrove_cloud_secret)
        wrong = f"The secret {name} must be a JSON object with some of {', '.join(SECRETS)}."
        try:
            told = json.loads(self.read_secret(name))
        except ValueError:
            raise ProviderError(wrong) from None  # which would show it
        if not isinstance(told, dict):
            raise ProviderError(wrong)
        return {each: str(told[each]) for each in SECRETS if each in told}


def connected(settings: Config, secret: Secret) -> Connection:
    """Return a connection that has asked nothing yet."""
    options = {name: value for name, value in _options(settings).items() if value is not None}
    if settings.os_cloud:
        return Connection(config=_configured(settings, options))
    session = Session(
        auth=credential_of(settings, secret, settings.os_auth_url),
        verify=settings.os_cacert or True,
        timeout=settings.dtrove_cloud_timeout_seconds,
        app_name=APP_NAME,
    )
    return Connection(session=session, **options)


def _options(settings: Config) -> dict[str, Any]:
    """Return what holds beside any way to authenticate."""
    return {
        "region_name": settings.os_region_name,
        "interface": settings.os_nova_endpoint_type.removesuffix("URL"),
        "compute_endpoint_override": settings.os_nova_bypass_url or settings.os_nova_url,
    }


def _configured(settings: Config, options: Mapping[str, Any]) -> CloudRegion:
    """Return what a clouds.yaml tells of the cloud."""
    files = [settings.os_client_config_file] if settings.os_client_config_file else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RemovedInSDK60Warning)  # of InfluxDB, which nobody asked for
        known = OpenStackConfig(config_files=files, load_envvars=False, app_name=APP_NAME)
        return known.get_one(cloud=settings.os_cloud, api_timeout=settings.dtrove_cloud_timeout_seconds, **options)
