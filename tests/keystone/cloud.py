"""A cloud's people: two projects, who has which role in them, and the catalog that leads to us."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.keystone.real_keystone import ADMIN_PASSWORD, RealKeystone

ENDPOINT = "http://db.example/v1.0/$(project_id)s"
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
        for kind, url in (("identity", keystone.url), ("database", ENDPOINT)):
            service = cloud.ask("POST", "/services", service={"type": kind, "name": kind})
            cloud.ask("POST", "/endpoints", endpoint={"service_id": service["id"], "interface": "public", "url": url})
        return cloud

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

    def application_token(self, **restrictions: Any) -> str:
        """Return a token by a new application credential."""
        wish = {"name": f"credential-{uuid4()}", **restrictions}
        path = f"/users/{self.user_id}/application_credentials"
        body = {"application_credential": wish}
        made = self.cloud.keystone.send("POST", path, body, token=self.token())["application_credential"]
        return self.cloud.keystone.log_in("application_credential", {"id": made["id"], "secret": made["secret"]})
