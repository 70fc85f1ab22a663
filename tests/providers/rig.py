"""Rig: one cloud under test, with what the provider's interface does not show: a server's inside and its network."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

from chalicelib.errors import NotReady, Transient
from chalicelib.models.instance import Instance
from chalicelib.providers.base import Access, BaseProvider, Birth, Endpoint, ServerStatus
from chalicelib.providers.one_host import Network
from chalicelib.ssh.keys import KeyPair, draw_key

IMAGE = "debian-12"


@dataclass(frozen=True)
class Newborn:
    """An instance that is ordered, with the keys it is to be born with."""

    instance: Instance
    birth: Birth


class Rig(ABC):
    login: KeyPair
    stride = 1  # every how many effects a walk over all of them cuts
    numbers = count(1)
    network: Network
    has_public_addresses: bool
    satellites: frozenset[str] = frozenset()  # kinds of what a server or its cluster has beside what is told of here
    hosts = 1  # that servers can be kept apart on
    patience_seconds = 30
    look_again_seconds = 0.02

    @abstractmethod
    def provider(self) -> BaseProvider:
        """Return another provider of the same cloud, as another Lambda would have it."""

    @abstractmethod
    def host_key_at(self, address: str) -> str | None:
        """Return the host key that is served at the address; None if nothing answers."""

    @abstractmethod
    def write(self, instance: Instance, text: str, *, on_volume: bool) -> None:
        """Keep the text on the server, having made and mounted the volume's file system if it goes there."""

    @abstractmethod
    def read(self, instance: Instance, *, on_volume: bool) -> str:
        """Return what was kept, the volume being mounted for it."""

    @abstractmethod
    def release_volume(self, instance: Instance) -> None:
        """Unmount it inside the guest."""

    @abstractmethod
    def volume_gib(self, instance: Instance) -> int:
        """Return the size of the volume as the guest sees it; 0 if it sees none."""

    @abstractmethod
    def say(self, instance: Instance, text: str) -> None:
        """Write lines on the server's console, from its inside."""

    @abstractmethod
    def memory_mib(self, instance: Instance) -> int:
        """Return what the server may use."""

    @abstractmethod
    def serve(self, instance: Instance, port: int) -> None:
        """Have something answer at the port."""

    @abstractmethod
    def reaches(self, source: str, instance: Instance, port: int) -> bool:
        """Say whether somebody at this address, outside of the network, is answered there."""

    @abstractmethod
    def neighbour_reaches(self, neighbour: Instance, instance: Instance, port: int) -> bool:
        """Say whether another server of the network is answered there."""

    def take(self, instance: Instance, endpoint: Endpoint) -> None:
        """Have the guest take the cluster's address, where that is its own matter."""
        assert not endpoint.is_guests_own

    @abstractmethod
    def cut(self, work: Callable[[], object], at: int) -> bool:
        """Do the work but die at its effect number `at`. False if it was done before that."""

    # --- the same for every cloud
    def order(
        self,
        *,
        cluster_id: str = "",
        user: str = "root",
        image: str = IMAGE,
        access: Access = Access(),  # noqa: B008 - frozen
        **asked: Any,
    ) -> Newborn:
        """Order an instance; `asked` is what else its record says."""
        instance = Instance(
            instance_id=str(uuid4()),
            cluster_id=cluster_id or str(uuid4()),
            project_id="p1",
            name=f"db-{next(self.numbers)}",
            datastore="mysql",
            datastore_version="10.11",
            datastore_version_id="v",
            flavor_id="1",
            memory_mib=512,
            volume_gib=1,
            **asked,
        )
        return Newborn(instance, self.birth(user=user, image=image, access=access))

    def birth(self, *, user: str = "root", image: str = IMAGE, access: Access = Access()) -> Birth:  # noqa: B008
        host_key = draw_key()
        return Birth(image, user, self.login.public, host_key.public, host_key.private, access)

    def create(self, **order: Any) -> Instance:
        """Return an instance whose server is up and can be reached."""
        newborn = self.order(**order)
        self.make(newborn.instance, newborn.birth)
        self.settle(newborn.instance, ServerStatus.ACTIVE)
        self.await_host_key(newborn.instance)
        return newborn.instance

    def make(self, instance: Instance, birth: Birth) -> None:
        def is_made() -> bool:
            self.provider().create(instance, birth)
            return True

        self.until(is_made, f"the server of {instance.name} is made")

    def settle(self, instance: Instance, status: ServerStatus) -> None:
        provider = self.provider()
        self.until(lambda: provider.update_status(instance)[0] is status, f"{instance.name} is {status}")

    def await_host_key(self, instance: Instance) -> None:
        address, host_key = str(instance.address), instance.host_key
        self.until(lambda: self.host_key_at(address) == host_key, f"{instance.name} answers with its host key")

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + self.patience_seconds
        while not self._is_so(is_so):
            assert time.monotonic() < deadline, f"not within {self.patience_seconds} s: {what}"
            time.sleep(self.look_again_seconds)

    def _is_so(self, is_so: Callable[[], bool]) -> bool:
        try:
            return is_so()
        except (NotReady, Transient):  # as a state machine, which asks again
            return False

    def attach(self, instance: Instance) -> None:
        self.until(lambda: self.provider().attach_volume(instance), f"the volume of {instance.name} is attached")

    def extend(self, instance: Instance, volume_gib: int) -> None:
        self.until(lambda: self.provider().extend_volume(instance, volume_gib), f"{instance.name} has {volume_gib} GiB")

    def set_access(self, instance: Instance, access: Access) -> None:
        self.until(lambda: self.provider().set_access(instance, access), f"the access to {instance.name} is set")

    def destroy(self, instance: Instance) -> None:
        self.until(lambda: self.provider().destroy(instance), f"{instance.name} is destroyed")

    def cut_points(self) -> Iterator[int]:
        return count(0, self.stride)

    def owned(self) -> list[str]:
        return sorted(each.kind for each in self.provider().owned())

    def remove_all(self) -> None:
        """Remove what the sweep would, until nothing is listed."""
        provider = self.provider()

        def nothing_is_left() -> bool:
            for resource in provider.owned():
                provider.remove(resource)
            return not provider.owned()

        self.until(nothing_is_left, "everything is removed")
