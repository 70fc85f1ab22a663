"""Clouds: one module each, and a line of PROVIDERS in config.py."""

from chalicelib import config
from chalicelib.dotted import class_of
from chalicelib.errors import ConfigError
from chalicelib.providers.base import BaseProvider


def get_provider() -> BaseProvider:
    """Return the cloud that config.dtrove_provider names."""
    return provider_class()()


def provider_class() -> type[BaseProvider]:
    """Return the class of config.dtrove_provider. Raises ConfigError, naming those there are, if it is none."""
    path = config.provider_path(config.current().dtrove_provider)
    try:
        found: type[BaseProvider] = class_of(path, BaseProvider)
    except ValueError as error:
        raise ConfigError(f"DTROVE_PROVIDER: {error}; there are {', '.join(sorted(config.PROVIDERS))}") from error
    return found
