"""One real Keystone for the tests of a process, and the API as its service."""

from collections.abc import Callable, Iterator

import pytest

from chalicelib import config
from chalicelib.api import auth
from chalicelib.api.keystone import KeystoneIdentity
from tests.keystone.cloud import Cloud, User, real_cloud

Serve = Callable[..., KeystoneIdentity]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with real_cloud(tmp_path_factory.mktemp("keystone")) as cloud:
        cloud.register("database", "http://db.example/v1.0/$(project_id)s")
        yield cloud


@pytest.fixture(scope="session")
def service(cloud: Cloud) -> User:
    """The service's own user, with no role but `service`."""
    return cloud.user(cloud.project(), "service")


@pytest.fixture
def serve(cloud: Cloud, service: User, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Makes the API ask this Keystone, from an empty cache on; settings may be told."""

    def start(**settings: str) -> KeystoneIdentity:
        chosen = {"DTROVE_IDENTITY": "keystone", "OS_AUTH_URL": cloud.keystone.url, **service_settings(service)}
        for name, value in (chosen | settings).items():
            monkeypatch.setenv(name, value)
        _forget()
        identity = auth.identity()
        assert isinstance(identity, KeystoneIdentity)
        return identity

    yield start
    monkeypatch.undo()
    _forget()


@pytest.fixture
def api(serve: Serve, catalog: None) -> KeystoneIdentity:
    return serve()


def service_settings(user: User) -> dict[str, str]:
    return {"OS_USERNAME": user.name, "OS_PASSWORD": user.name, "OS_PROJECT_ID": user.project_id}


def _forget() -> None:
    config.current.cache_clear()
    auth.identity.cache_clear()
