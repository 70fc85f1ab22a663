"""Who may use the cloud, and where its services are: Keystone's part of what the cloud begins with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import openstack

from local.openstack import site

DOMAIN = "Default"
APPLICATION = "dtrove-application"


@dataclass(frozen=True)
class User:
    name: str
    project: str
    roles: tuple[str, ...]


ADMIN = User("admin", "admin", ())  # has its roles from Keystone's beginning
SERVICE = User("service", "service", ("admin", "service"))
MEMBERS = (User("dtrove", "dtrove", ("member",)), User("other", "other", ("member",)))
CALLERS = (*MEMBERS, User("reader", "dtrove", ("reader",)))
ENDPOINTS = (  # type, name, address
    ("compute", "nova", site.url("nova", "/v2.1")),
    ("image", "glance", site.url("glance")),
    ("placement", "placement", site.url("placement")),
    ("network", "neutron", site.url("neutron")),
    ("block-storage", "cinder", site.url("cinder", "/v3")),
)


@contextmanager
def connected(user: User) -> Iterator[Any]:
    """Be this user of the cloud: an openstacksdk connection, whose types would have each answer doubted."""
    connection = openstack.connect(load_envvars=False, load_yaml_config=False, **entry(user))
    try:
        yield connection
    finally:
        connection.session.close()


def entry(user: User) -> dict[str, Any]:
    """Return what clouds.yaml says of the user."""
    return {
        "region_name": site.REGION,
        "auth": {
            "auth_url": site.auth_url(),
            "username": user.name,
            "password": site.passwords()[user.name],
            "user_domain_name": DOMAIN,
            "project_name": user.project,
            "project_domain_name": DOMAIN,
        },
    }


def ensure() -> None:
    """Have the users with their roles, and the services' addresses."""
    with connected(ADMIN) as connection:
        _ensure(connection.identity)


def _ensure(identity: Any) -> None:
    roles = {role.name: role for role in identity.roles()}
    for user in (SERVICE, *CALLERS):
        project = identity.find_project(user.project) or identity.create_project(name=user.project, domain_id="default")
        found = identity.find_user(user.name) or identity.create_user(
            name=user.name, password=site.passwords()[user.name], domain_id="default"
        )
        for role in user.roles:
            identity.assign_project_role_to_user(project, found, roles[role])
    ensure_services(identity, *ENDPOINTS)


def ensure_services(identity: Any, *services: tuple[str, str, str]) -> None:
    """Have the catalog tell of them."""
    present = {each.url for each in identity.endpoints()}
    for kind, name, url in services:
        if url in present:
            continue
        service = next(identity.services(type=kind), None) or identity.create_service(type=kind, name=name)
        for interface in ("public", "internal"):
            identity.create_endpoint(service_id=service.id, interface=interface, region_id=site.REGION, url=url)


def write_clouds() -> None:
    """Write clouds.yaml, with an application credential of the service's own user."""
    if site.CLOUDS.exists():
        return
    dtrove = MEMBERS[0]
    clouds = {user.name: entry(user) for user in (ADMIN, *CALLERS)}
    with connected(dtrove) as connection:
        identity, user_id = connection.identity, connection.current_user_id
        for lost in identity.application_credentials(user_id, name=APPLICATION):  # nobody knows its secret
            identity.delete_application_credential(user_id, lost)
        credential = identity.create_application_credential(user_id, APPLICATION, roles=[{"name": "member"}])
    clouds["dtrove-appcred"] = {
        "auth_type": "v3applicationcredential",
        "region_name": site.REGION,
        "auth": {
            "auth_url": site.auth_url(),
            "application_credential_id": credential.id,
            "application_credential_secret": credential.secret,
        },
    }
    site.write_private(site.CLOUDS, json.dumps({"clouds": clouds}, indent=2) + "\n")  # is YAML
