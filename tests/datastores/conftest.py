"""A primary and a replica as records, and their passwords; a site for real guests."""

from collections.abc import Iterator

import pytest

from chalicelib.datastores.base import Passwords
from chalicelib.models.instance import Instance
from chalicelib.models.status import Role
from chalicelib.providers.nspawn.provider import NspawnProvider
from tests.datastores.real_cluster import guests_of

PASSWORDS = Passwords(root="RootRootRootRootRootRootRootRoot", replication="ReplReplReplReplReplReplReplRepl")


@pytest.fixture
def passwords() -> Passwords:
    return PASSWORDS


@pytest.fixture
def primary() -> Instance:
    return instance("i-1", Role.PRIMARY, "10.0.0.5")


@pytest.fixture
def replica() -> Instance:
    return instance("i-2", Role.REPLICA, "10.0.0.6")


def instance(instance_id: str, role: Role, address: str) -> Instance:
    return Instance(
        instance_id=instance_id,
        cluster_id="c-1",
        name=f"shop-{instance_id}",
        role=role,
        address=address,
        host_key=f"ssh-ed25519 AAAAhostkey{instance_id}",
        memory_mib=4096,
        volume_gib=10,
        volume_device="/dev/vdb",
    )


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NspawnProvider]:
    with guests_of(tmp_path_factory.mktemp("nspawn"), "dtrovedata0", "10.79.78.0/24") as provider:
        yield provider
