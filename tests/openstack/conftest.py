"""The cloud, started if it does not run, and then taken down again; projects of it."""

from collections.abc import Iterator

import pytest

from local.openstack import __main__ as cloud_commands
from local.openstack import down, services
from tests.openstack.scene import Project, Server, project_of


@pytest.fixture(scope="session")
def cloud() -> Iterator[None]:
    """As it was found: one that ran goes on, another leaves nothing behind."""
    ran = services.all_run()
    cloud_commands.up()
    yield
    if not ran:
        assert down.remove_everything() == []


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
