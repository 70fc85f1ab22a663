"""Clouds: one module each, and a line of PROVIDERS."""

from importlib import import_module

from chalicelib import config
from chalicelib.providers.base import BaseProvider, ProviderError

PROVIDERS = {
    "nspawn": "chalicelib.providers.nspawn.provider.NspawnProvider",
    "memory": "chalicelib.providers.memory.MemoryProvider",
}


def get_provider() -> BaseProvider:
    """Return the cloud of config.dtrove_provider: a key of PROVIDERS, or a dotted path. Raises ProviderError."""
    name = config.current().dtrove_provider
    path = PROVIDERS.get(name, name)
    module_name, _, class_name = path.rpartition(".")
    try:
        provider = getattr(import_module(module_name), class_name, None)
    except (ImportError, ValueError) as error:
        raise ProviderError(f"There is no provider {name} ({error}); there are {_known()}.") from error
    if not (isinstance(provider, type) and issubclass(provider, BaseProvider)):
        raise ProviderError(f"{path} is no provider; there are {_known()}.")
    return provider()


def _known() -> str:
    return ", ".join(sorted(PROVIDERS))
