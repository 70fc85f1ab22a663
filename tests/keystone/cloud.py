"""A cloud's people: projects, who has which role in them, and Keystone's own entry in the catalog."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.keystone.real_keystone import ADMIN_PASSWORD, PYTHON, RealKeystone, real_keystone

ADMIN_SCOPE = {"project": {"name": "admin", "domain": {"id": "default"}}}


@dataclass(eq=False)
class Cloud:
    """Passwords are the users' names. Safe to call while others use the same cloud: names are drawn."""

    keystone: RealKeystone
    admin_token: str
    roles: dict[str, str]  # name → id

    @classmethod
    def of(cls, keystone: RealKeystone) -> "Cloud":
        token = keystone.password("admin", ADMIN_PASSWORD, ADMIN_SCOPE)
        roles = {each["name"]: each["id"] for each in keystone.send("GET", "/roles", token=token)["roles"]}
        cloud = cls(keystone, token, roles)
        cloud.register("identity", keystone.url)
        return cloud

    def register(self, kind: str, url: str) -> None:
        """Have the catalog lead to the service."""
        service = self.ask("POST", "/services", service={"type": kind, "name": kind})
        self.ask("POST", "/endpoints", endpoint={"service_id": service["id"], "interface": "public", "url": url})

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """Send it as the administrator; return what is inside the answer's envelope."""
        answer = self.keystone.send(method, path, body or None, token=self.admin_token)
        return next(iter(answer.values())) if answer else None

    def project(self) -> str:
        return str(self.ask("POST", "/projects", project={"name": f"project-{uuid4()}", "domain_id": "default"})["id"])

    def user(self, project_id: str, *roles: str, name: str = "") -> "User":
        name = name or f"user-{uuid4()}"
        user_id = self.ask("POST", "/users", user={"name": name, "password": name, "domain_id": "default"})["id"]
        user = User(self, user_id, name, project_id)
        for role in roles:
            self.ask("PUT", f"/projects/{project_id}/users/{user_id}/roles/{self.roles[role]}")
        return user


@dataclass(frozen=True)
class User:
    cloud: Cloud
    user_id: str
    name: str
    project_id: str

    def token(self, scope: object = None, keystone: RealKeystone | None = None) -> str:
        """Return a token of the user's project, unless another scope is told."""
        scope = scope or {"project": {"id": self.project_id}}
        return (keystone or self.cloud.keystone).password(self.name, self.name, scope)

    def unscoped_token(self) -> str:
        return self.token("unscoped")

    def application_credential(self, **restrictions: Any) -> dict[str, str]:
        """Return id and secret of a new one."""
        wish = {"name": f"credential-{uuid4()}", **restrictions}
        path = f"/users/{self.user_id}/application_credentials"
        body = {"application_credential": wish}
        made = self.cloud.keystone.send("POST", path, body, token=self.token())["application_credential"]
        return {"id": made["id"], "secret": made["secret"]}

    def application_token(self, **restrictions: Any) -> str:
        return self.cloud.keystone.log_in("application_credential", self.application_credential(**restrictions))


@contextmanager
def real_cloud(folder: Path) -> Iterator[Cloud]:
    if not PYTHON.exists():
        pytest.fail(f"There is no Keystone in {PYTHON.parents[1]}: run `make unit` once, which installs it.")
    with real_keystone(folder) as keystone:
        yield Cloud.of(keystone)
