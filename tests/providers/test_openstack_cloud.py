"""Who we are for the cloud: from settings, a clouds.yaml or a secret, and anew when a secret was changed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.config import Config
from chalicelib.errors import ConfigError, ProviderError
from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.provider import OpenStackProvider, asking
from chalicelib.providers.openstack.refusals import CredentialsRefused

OURS = Config(
    dtrove_openstack_our_networks="10.0.0.0/24",
    os_auth_url="https://cloud/v3",
    os_username="dtrove",
    os_password="from settings",
    os_project_name="databases",
)
SECRET = replace(OURS, os_username=None, os_password=None, dtrove_cloud_secret="dtrove/cloud")


def authentication(cloud: Cloud) -> dict[str, Any]:
    auth: Any = cloud.connection.session.auth
    return {"url": auth.auth_url} | dict(vars(auth.auth_methods[0]))


def test_a_user_and_password_of_the_settings() -> None:
    told = authentication(Cloud(OURS))

    assert (told["url"], told["username"], told["password"]) == ("https://cloud/v3", "dtrove", "from settings")


def test_an_application_credential() -> None:
    settings = replace(OURS, os_application_credential_id="id", os_application_credential_secret="told")

    told = authentication(Cloud(settings))

    assert (told["application_credential_id"], told["application_credential_secret"]) == ("id", "told")


def test_a_cloud_of_a_clouds_yaml(tmp_path: Path) -> None:
    file = tmp_path / "clouds.yaml"
    auth = {"auth_url": "https://there/v3", "username": "u", "password": "p", "project_name": "x"}
    file.write_text(json.dumps({"clouds": {"there": {"auth": auth, "region_name": "north"}}}))

    cloud = Cloud(replace(OURS, os_cloud="there", os_client_config_file=str(file)))

    assert cloud.connection.config.get_auth_args()["auth_url"] == "https://there/v3"
    assert cloud.connection.config.region_name == "north"


def test_the_seeds_options_reach_the_client() -> None:
    settings = replace(
        OURS, os_nova_bypass_url="http://nova:8774", os_nova_endpoint_type="internalURL", os_region_name="r"
    )

    config = Cloud(settings).connection.config

    assert config.get_endpoint("compute") == "http://nova:8774"
    assert config.get_interface("network") == "internal"
    assert config.get_region_name("volume") == "r"
    assert (
        Cloud(replace(OURS, os_nova_url="http://old:8774")).connection.config.get_endpoint("compute")
        == "http://old:8774"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(OURS, os_password=None), "openstack needs OS_USERNAME, OS_PASSWORD"),
        (replace(OURS, os_project_name=None), "openstack needs OS_USERNAME, OS_PASSWORD"),
        (replace(OURS, dtrove_openstack_our_networks=None), "must say from where our functions come"),
    ],
)
def test_without_a_user_or_where_we_come_from_nothing_starts(settings: Config, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Cloud(settings)


def test_a_secret_is_read_once_and_again_when_it_was_refused() -> None:
    told = [{"username": "a", "password": "old"}]
    asked: list[str] = []

    def read(name: str) -> str:
        asked.append(name)
        return json.dumps(told[-1])

    cloud = Cloud(SECRET, read)
    assert (authentication(cloud)["password"], authentication(cloud)["username"]) == ("old", "a")
    assert asked == ["dtrove/cloud"]

    assert not cloud.renew()  # it is what was refused

    told.append({"application_credential_id": "b", "application_credential_secret": "new"})
    assert cloud.renew()
    assert authentication(cloud)["application_credential_secret"] == "new"
    assert "new" not in repr(cloud)


@pytest.mark.parametrize("text", ["no JSON", '"text"', "[]", "null"])
def test_a_secret_of_another_form_is_named_and_not_shown(text: str) -> None:
    with pytest.raises(ProviderError, match="The secret dtrove/cloud must be a JSON object") as raised:
        _ = Cloud(SECRET, lambda _: text).connection

    assert text not in str(raised.value)


class Moody(OpenStackProvider):
    """Refused until the secret is another."""

    asked = 0

    def start(self, instance: Instance) -> None:
        self._start()

    @asking
    def _start(self: OpenStackProvider, /) -> None:
        assert isinstance(self, Moody)
        self.asked += 1
        if authentication(self.cloud)["password"] == "old":
            raise CredentialsRefused("The cloud refuses our credentials.")


def test_what_was_refused_is_asked_once_more_with_the_new_secret() -> None:
    passwords = ["old", "new"]
    provider = Moody(Cloud(SECRET, lambda _: json.dumps({"username": "a", "password": passwords.pop(0)})))

    provider.start(Instance())

    assert provider.asked == 2


def test_what_is_refused_with_the_secret_as_it_is_fails() -> None:
    provider = Moody(Cloud(SECRET, lambda _: '{"username": "a", "password": "old"}'))

    with pytest.raises(ProviderError, match="refuses our credentials"):
        provider.start(Instance())
    assert provider.asked == 1
