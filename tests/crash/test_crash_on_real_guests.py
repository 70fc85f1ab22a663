"""Crash anywhere, on real guests: a sample of the points, spread over a whole life from create to delete."""

import os
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from chalicelib import sealing
from chalicelib.config import Config
from chalicelib.jobs.beginnings import launch
from chalicelib.models.cluster import Cluster
from chalicelib.models.job import Job
from chalicelib.models.status import Status
from chalicelib.orders.access import place_access
from chalicelib.orders.whereabouts import Access
from chalicelib.providers.nspawn.removal import everything_left, remove_everything
from chalicelib.providers.nspawn.site import Site
from local.proof import CLIENTS, prove
from tests.crash.cuts import Cuts
from tests.crash.real import RealSimulation, primary_address
from tests.crash.story import only_cluster, open_jobs, play
from tests.orders_placed import MEMBER, change, fresh, grown, ordered
from tests.outsiders import outsider

pytestmark = [pytest.mark.guests, pytest.mark.usefixtures("catalog")]

ALLOWED, REFUSED, REDIS_PORT = "198.18.5.6", "198.18.6.6", 6379
SAMPLE = int(os.environ.get("CRASH_SAMPLE", "5"))  # points of each story


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    images = Path(Config.dtrove_nspawn_root) / "images"
    site = Site(Path("/var/lib/dtrove/crash"), images, "dtrovecrash", IPv4Network("10.79.3.0/24"))
    remove_everything(site)
    yield site
    remove_everything(site)
    assert everything_left(site) == []


@pytest.fixture
def service(site: Site) -> Iterator[RealSimulation]:
    service = RealSimulation(site=site)
    service.install()
    yield service
    service.uninstall()


def proven(cluster: Cluster) -> None:
    instances = cluster.instances()
    assert (cluster.status, cluster.held_by) == (Status.ACTIVE, None)
    assert cluster.passwords is not None
    password = sealing.unseal(cluster.cluster_id, cluster.passwords)["root"]
    replicas = [str(each.address) for each in instances if not each.is_primary]
    prove(CLIENTS["redis"], primary_address(instances), replicas, password)


def create() -> None:
    launch(ordered(2, volume_gib=1).job)


def grow() -> None:
    launch(grown(existing()).job)


def let_in() -> None:
    cluster = existing()
    access = Access(allowed_cidrs=(f"{ALLOWED}/32",))
    launch(place_access(cluster.cluster_id, str(cluster.primary_id), access, MEMBER).job)


def guarded(cluster: Cluster) -> None:
    address = primary_address(cluster.instances())
    with outsider(ALLOWED) as welcome, outsider(REFUSED) as stranger:
        assert (welcome.reaches(address, REDIS_PORT), stranger.reaches(address, REDIS_PORT)) == (True, False)


def delete() -> None:
    launch(change("delete_cluster", existing()).job)


def existing() -> Cluster:
    cluster = only_cluster()
    assert cluster is not None
    return cluster


STORIES = (create, grow, let_in, delete)


def points(service: RealSimulation) -> dict[str, int]:
    """Play the whole life uncut and return how many points each part of it has."""
    counted = {}
    for story in STORIES:
        cuts = Cuts()
        play(service, cuts, story)
        counted[story.__name__] = len(cuts.passed)
    ended(service)
    return counted


def ended(service: RealSimulation) -> None:
    """Nothing is left but history, which is put away."""
    assert service.left() == []
    for job in Job.scan():
        job.delete(add_version_condition=False)


def test_a_life_cut_here_and_there_ends_as_it_should(
    service: RealSimulation, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = points(service)
    for number in range(SAMPLE):
        for story in STORIES:
            at = number * counted[story.__name__] // SAMPLE
            play(service, Cuts(at), story)
            if not story_recorded(story.__name__):
                play(service, Cuts(), story)
            assert open_jobs() == []
            if story is not delete:
                proven(fresh(existing()))
            if story is let_in:
                guarded(fresh(existing()))
        ended(service)
    with capsys.disabled():
        print(f"\nreal guests: cut at {SAMPLE} points each of {counted}")


def story_recorded(story: str) -> bool:
    workflow = {"create": "create_cluster", "grow": "add_instance", "let_in": "change_access"}.get(
        story, "delete_cluster"
    )
    return any(job.workflow == workflow for job in Job.scan())
