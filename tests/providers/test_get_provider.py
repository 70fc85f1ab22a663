"""Which cloud it is, by name or by path."""

from collections.abc import Iterator

import pytest

from chalicelib import config
from chalicelib.config import PROVIDERS
from chalicelib.errors import ConfigError
from chalicelib.providers import get_provider
from chalicelib.providers.memory import MemoryProvider


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    config.current.cache_clear()
    yield
    config.current.cache_clear()


@pytest.mark.parametrize("name", ["memory", "chalicelib.providers.memory.MemoryProvider"])
def test_a_provider_goes_by_name_or_by_path(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTROVE_PROVIDER", name)

    assert isinstance(get_provider(), MemoryProvider)


def test_two_memory_providers_are_one_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTROVE_PROVIDER", "memory")
    first, second = get_provider(), get_provider()

    address = first.ensure_address("c1")

    assert second.ensure_address("c1") == address
    second.release_address("c1")


@pytest.mark.parametrize("name", ["plan9", "chalicelib.providers.memory.Nothing", "json.JSONDecoder"])
def test_an_unknown_provider_is_told_with_those_there_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DTROVE_PROVIDER", name)

    with pytest.raises(ConfigError, match=", ".join(sorted(PROVIDERS))):
        get_provider()
