"""Server groups: how near each other the servers of a cluster shall be."""

from typing import Any

from openstack.connection import Connection

from chalicelib.models.instance import Instance
from chalicelib.providers.openstack.choice import Found, forget, only_one, said
from chalicelib.providers.openstack.labels import Label, name_of


class ServerGroups:
    """The family of one cluster's server groups. They cannot be marked: their key pair stays."""

    can_be_marked = False

    def __init__(self, connection: Connection, cluster_id: str) -> None:
        self._connection = connection
        self.name, self.label = name_of(f"{cluster_id}-near"), Label.of_cluster(cluster_id)

    def all(self) -> list[Any]:
        return [each for each in self._connection.compute.server_groups() if each.name == self.name]

    def found(self) -> list[Found]:
        groups = self.all()
        chosen = said(self._connection, self.name) if groups else None
        return [Found(str(each.id), str(each.id) == chosen) for each in groups]

    def exists(self, resource_id: str) -> bool:
        return resource_id in {each.resource_id for each in self.found()}

    def make(self, locality: str) -> str:
        return str(self._connection.compute.create_server_group(name=self.name, policy=locality).id)

    def choose(self, resource_id: str) -> None:
        """Leave it to the key pair."""

    def drop(self, resource_id: str) -> None:
        self._connection.compute.delete_server_group(resource_id)

    def drop_all(self) -> None:
        """Remove them unless a server is in one."""
        groups = self.all()
        if any(each.member_ids for each in groups):
            return
        for each in groups:
            self.drop(str(each.id))
        forget(self._connection, self.name)


def server_group(connection: Connection, instance: Instance) -> str | None:
    """Return the id of the group that the instance's server is to be in; None if it may be anywhere."""
    if not (locality := instance.locality):
        return None
    family = ServerGroups(connection, str(instance.cluster_id))
    return only_one(connection, family, lambda: family.make(locality))
