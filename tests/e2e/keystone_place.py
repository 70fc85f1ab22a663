"""The embedded service as a part of a cloud: behind a real Keystone, registered in it as docs/identity.md says."""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.config import Config
from local import machine, service
from local.api import Api
from local.service import Service
from tests.clients.stock import Stock, openstack
from tests.conftest import REPO
from tests.keystone.cloud import Cloud, User
from tests.keystone.real_keystone import ADMIN_PASSWORD

SITE = {
    "DTROVE_NSPAWN_ROOT": "/var/lib/dtrove/keystone",
    "DTROVE_NSPAWN_IMAGES": f"{Config.dtrove_nspawn_root}/images",
    "DTROVE_NSPAWN_BRIDGE": "dtrovekeystone",
    "DTROVE_NSPAWN_NETWORK": "10.79.13.0/24",
}
CACHE_SECONDS = 3
SERVICE_PASSWORD = "the-service's-own-password"
DEFAULT = {"user_domain_id": "default", "project_domain_id": "default"}
REGISTRAR = {"username": "admin", "password": ADMIN_PASSWORD, "project_name": "admin", **DEFAULT}


@dataclass
class Place:
    folder: Path
    cloud: Cloud
    running: Service
    people: dict[str, User] = field(default_factory=dict)

    def api(self, user: User, token: str | None = None) -> Api:
        return Api(f"{self.running.api_url}/v1.0/{user.project_id}", token or user.token())

    @contextmanager
    def stock(self, user: User) -> Iterator[Stock]:
        """The stock client of a person with a clouds.yaml that has a password in it."""
        auth = {"username": user.name, "password": user.name, "project_id": user.project_id, **DEFAULT}
        with client(self.folder / user.user_id, self.cloud, "password", auth) as stock:
            yield stock

    @contextmanager
    def robot(self, user: User, **restrictions: Any) -> Iterator[Stock]:
        """The same, with an application credential of the user."""
        made = user.application_credential(**restrictions)
        auth = {f"application_credential_{name}": value for name, value in made.items()}
        with client(self.folder / made["id"], self.cloud, "v3applicationcredential", auth) as stock:
            yield stock


@contextmanager
def client(folder: Path, cloud: Cloud, auth_type: str, auth: dict[str, str]) -> Iterator[Stock]:
    folder.mkdir()
    own = {"auth_type": auth_type, "auth": {"auth_url": cloud.keystone.url, **auth}}
    (folder / "clouds.yaml").write_text(json.dumps({"clouds": {"here": own}}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    with openstack(kept | {"OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"), "OS_CLOUD": "here"}) as stock:
        yield stock


@contextmanager
def served(folder: Path, cloud: Cloud) -> Iterator[Place]:
    """The service up, with its own user and its entry in the catalog made by the commands of the page."""
    machine.remove_everything(Config.from_environment(SITE), folder)
    with ExitStack() as cleanup:
        registrar = cleanup.enter_context(client(folder / "registrar", cloud, "password", REGISTRAR))
        before, after = commands()
        for each in before:
            registrar(*[SERVICE_PASSWORD if word == "…" else word for word in each])
        cleanup.callback(take_down, folder)
        running = service.up(folder, port=0, auth=True, **SITE, **settings(cloud))
        for each in after:
            registrar(*[word.replace("https://<api>", running.api_url) for word in each])
        yield Place(folder, cloud, running)


def take_down(folder: Path) -> None:
    log = (folder / "aws" / "aws.log").read_text()
    left = service.down(folder, **SITE)
    assert left == []
    assert "AccessDenied" not in log
    assert SERVICE_PASSWORD not in log


def settings(cloud: Cloud) -> dict[str, str]:
    return {
        "DTROVE_IDENTITY": "keystone",
        "DTROVE_TOKEN_CACHE_SECONDS": str(CACHE_SECONDS),
        "OS_AUTH_URL": cloud.keystone.url,
        "OS_USERNAME": "dtrove",
        "OS_PASSWORD": SERVICE_PASSWORD,
        "OS_PROJECT_NAME": "service",
    }


def commands() -> tuple[list[list[str]], list[list[str]]]:
    """Return what the page has an operator type before the deployment, and once its address is known.

    Only `--password-prompt` cannot be typed by a test: it becomes `--password …`.
    """
    lines = (REPO / "docs" / "identity.md").read_text().splitlines()
    typed = [line.strip() for line in lines if line.startswith(("    openstack service", "    openstack endpoint"))]
    own = ("project create", "user create", "role add")
    before = [line.strip() for line in lines if line.startswith(tuple(f"    openstack {each}" for each in own))]
    assert (len(before), len(typed)) == (3, 2)
    return _split(before), _split(typed)


def _split(lines: list[str]) -> list[list[str]]:
    typed = [line.replace("--password-prompt", "--password …") for line in lines]
    return [shlex.split(line, comments=True)[1:] for line in typed]
