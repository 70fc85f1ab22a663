"""Projects of the cloud, and servers in them."""

from collections.abc import Iterator

import pytest

from tests.openstack.scene import Project, Server, project_of


@pytest.fixture(scope="session")
def lasting(cloud: None) -> Iterator[Project]:
    """What is made in it stays for all tests: there is room for ten servers."""
    with project_of("dtrove") as project:
        yield project


@pytest.fixture
def project(lasting: Project) -> Iterator[Project]:
    """What a test makes in it goes with the test."""
    with lasting.for_a_while() as project:
        yield project


@pytest.fixture(scope="session")
def other_project(cloud: None) -> Iterator[Project]:
    with project_of("other") as project:
        yield project


@pytest.fixture(scope="session")
def group_id(lasting: Project) -> str:
    """A security group that lets SSH in."""
    return lasting.group(22)


@pytest.fixture(scope="session")
def server(lasting: Project, group_id: str) -> Server:
    """A server that tests leave running as they found it."""
    return lasting.server(group_id, metadata={"cluster": "c1"})
