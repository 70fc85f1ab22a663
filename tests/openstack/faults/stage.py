"""A stage: the service in this process on the real cloud, behind a proxy. Its state machines wait in shortened time.

Servers are real, and reached by SSH with their pinned host key; what a datastore would do in them is simulated, since
it is proven elsewhere.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.config import Config
from chalicelib.errors import Transient
from chalicelib.models import record
from chalicelib.models.cluster import Cluster
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.status import JobStatus, Status
from chalicelib.orders.order import ClusterOrder, InstanceOrder
from chalicelib.orders.placing import place_cluster
from chalicelib.orders.whereabouts import Access
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.provider import OpenStackProvider
from chalicelib.ssh.guest import Guest
from chalicelib.steps import world
from local.openstack.ground import OpenStackGround
from tests.openstack.faults.proxy import Proxy
from tests.openstack.scene import until
from tests.orders_placed import MEMBER, change, fresh, fresh_job
from tests.simulation.guest import Inside, SimulatedGuest
from tests.simulation.service import Simulation

TIMEOUT_SECONDS = 8.0  # of one request: this machine may be busy
PATIENCE_SECONDS = 3.0  # of a step
PACE = 0.05  # of a second that a state machine waits
HASTE = 0.005
Holdings = dict[str, frozenset[str]]  # ids by kind


def direct_settings() -> Config:
    return Config.from_environment(OpenStackGround().settings)


@dataclass
class Stage(Simulation):
    proxy: Proxy = field(default_factory=Proxy)
    pace: float = PACE
    waits: int = 0
    on_wait: Callable[[int], None] = lambda waits: None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.direct = Cloud(direct_settings())
        self.settings = replace(
            direct_settings(), os_auth_url=self.proxy.auth_url, dtrove_cloud_timeout_seconds=TIMEOUT_SECONDS
        )
        self.behind = Cloud(self.settings)
        self.first = self.holdings()
        self._reached: set[str] = set()  # servers

    def install(self) -> None:
        record.clock = lambda: record.utc() + self.hours
        world.replace(
            world.World(
                provider=lambda: OpenStackProvider(self.behind),
                connect=self._connect,
                log=self.log.append,
                patience_seconds=PATIENCE_SECONDS,
            )
        )

    def be(self, **settings: Any) -> None:
        """Be somebody else for the cloud."""
        self.settings = replace(self.settings, **settings)
        self.behind = Cloud(self.settings)

    def hurry(self, pace: float = HASTE) -> None:
        """Have all waits be short: what is waited for does not come, or may not."""
        self.pace, world.current().patience_seconds = pace, 0

    def relax(self) -> None:
        self.pace, world.current().patience_seconds = PACE, PATIENCE_SECONDS

    def wait(self, seconds: float) -> None:
        super().wait(seconds)
        time.sleep(seconds * self.pace)
        self.waits += 1
        self.on_wait(self.waits)

    def _connect(self, instance: Instance, key_id: str) -> Guest:
        if instance.server_id not in self._reached:
            world.connect(instance, key_id).close()
            self._reached.add(str(instance.server_id))
        inside = self.guests.insides.setdefault(str(instance.server_id), Inside())
        return SimulatedGuest(self.guests, inside, instance)

    # --- lives of clusters
    def created(self, size: int = 1, *, is_public: bool = False, locality: str | None = None) -> Cluster:
        """Order a cluster and carry its workflow out, whatever comes of it."""
        order = InstanceOrder("1", volume_gib=1, access=Access(is_public=is_public))
        placed = place_cluster(ClusterOrder("c1", "redis", None, (order,) * size, locality=locality), MEMBER)
        self.carry_out(placed.job)
        return fresh(placed.cluster)

    def delete(self, cluster: Cluster) -> Job:
        """Delete it; return the job as it ended."""
        job = change("delete_cluster", cluster).job
        self.carry_out(job)
        return fresh_job(job)

    def delete_all_of(self, cluster: Cluster) -> None:
        job = self.delete(cluster)
        assert (job.status, job.message) == (JobStatus.SUCCEEDED, None)
        assert self.left() == []

    def left(self) -> list[str]:
        """Name all that there was not at first, in the cloud or in our records."""
        now = self.holdings()
        return [f"{kind} {each}" for kind in now for each in now[kind] - self.first[kind]] + self.left_of_records()

    # --- what the project has, told by the cloud itself
    def holdings(self) -> Holdings:
        connection: Any = self.direct.connection
        compute, network, storage = connection.compute, connection.network, connection.block_storage
        listed = {
            "server": compute.servers(),
            "server group": compute.server_groups(),
            "port": network.ports(),
            "security group": network.security_groups(),
            "floating IP": network.ips(),
            "volume": storage.volumes(),
            "snapshot": storage.snapshots(),
        }
        pairs = frozenset(str(each.name) for each in compute.keypairs())
        return {kind: frozenset(str(each.id) for each in found) for kind, found in listed.items()} | {"key pair": pairs}

    def made(self) -> dict[str, int]:
        """Count what there was not at first."""
        now = self.holdings()
        return {kind: len(now[kind] - self.first[kind]) for kind in now if now[kind] - self.first[kind]}

    def remove_all(self) -> None:
        """Remove whatever a test that failed has left."""
        provider = OpenStackProvider(self.direct)

        def nothing_is_left() -> bool:
            with suppress(Transient):
                for each in provider.owned():
                    provider.remove(each)
            return not provider.owned()

        until(nothing_is_left, "everything is removed")
        compute: Any = self.direct.connection.compute
        for pair in compute.keypairs():
            compute.delete_keypair(pair)


def outcome(cluster: Cluster) -> tuple[Status, str | None]:
    return Status(cluster.status), cluster.message
