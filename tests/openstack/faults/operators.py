"""What the cloud's operators do to us: quotas, computes taken out of service, volumes set to a status, passwords."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

PROJECT = "dtrove"
QUOTAS = {"instances": "compute", "ports": "network", "volumes": "volume"}


@contextmanager
def disabled(admin: Any, *hosts: str) -> Iterator[None]:
    """Have no server be put on these computes."""
    computes = [each for each in admin.compute.services(binary="nova-compute") if each.host in hosts]
    try:
        for each in computes:
            admin.compute.disable_service(each)
        yield
    finally:
        for each in computes:
            admin.compute.enable_service(each)


@contextmanager
def counted_as_down(admin: Any, *hosts: str) -> Iterator[Callable[[], None]]:
    """Yields what has Nova believe, from then on, that these computes are down."""

    def count(*, is_down: bool = True) -> None:
        for each in admin.compute.services(binary="nova-compute"):
            if each.host in hosts:
                admin.compute.update_service_forced_down(each, each.host, each.binary, forced=is_down)

    try:
        yield count
    finally:
        count(is_down=False)


@contextmanager
def quota(admin: Any, service: str, name: str, most: int) -> Iterator[None]:
    """Let the project have so many of it."""
    before = getattr(getattr(admin, f"get_{service}_quotas")(PROJECT), name)
    change = getattr(admin, f"set_{service}_quotas")
    change(PROJECT, **{name: most})
    try:
        yield
    finally:
        change(PROJECT, **{name: before})


def set_volume_status(admin: Any, volume_id: str, status: str) -> None:
    admin.block_storage.reset_volume_status(volume_id, status, None, None)


@contextmanager
def user(admin: Any) -> Iterator[tuple[Any, str]]:
    """Have another user of our project; yields it and its password."""
    identity, password = admin.identity, uuid4().hex
    made = identity.create_user(name=f"test-{uuid4().hex}", password=password, domain_id="default")
    try:
        project = identity.find_project(PROJECT)
        identity.assign_project_role_to_user(project, made, identity.find_role("member"))
        yield made, password
    finally:
        identity.delete_user(made)
