"""Projects of the cloud, and servers in them."""

from collections.abc import Iterator

import pytest

from tests.openstack.scene import Project, Server, project_of


@pytest.fixture(scope="session")
def project(cloud: None) -> Iterator[Project]:
    with project_of("dtrove") as project:
        yield project


@pytest.fixture(scope="session")
def other_project(cloud: None) -> Iterator[Project]:
    with project_of("other") as project:
        yield project


@pytest.fixture(scope="session")
def group_id(project: Project) -> str:
    """A security group that lets SSH in."""
    return project.group(22)


@pytest.fixture(scope="session")
def server(project: Project, group_id: str) -> Server:
    """A server that tests leave running as they found it."""
    return project.server(group_id, metadata={"cluster": "c1"})
