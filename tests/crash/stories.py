"""The stories, and how each of them must end."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib import aws, config
from chalicelib.datastores import manager_of
from chalicelib.jobs.beginnings import execution_arn, launch
from chalicelib.models.backup import DATA, MANIFEST, Backup, BackupStatus
from chalicelib.models.cluster import Cluster
from chalicelib.models.datastore import Datastore
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from chalicelib.models.schedule import Schedule
from chalicelib.models.status import JobStatus, Status
from chalicelib.orders.access import place_access
from chalicelib.orders.backups import BackupOrder, place_backup
from chalicelib.orders.expiry import place_expiry
from chalicelib.orders.logs import place_log_change
from chalicelib.orders.order import Change, ClusterOrder, InstanceOrder
from chalicelib.orders.placing import place_change, place_cluster
from chalicelib.orders.volumes import place_new_size
from chalicelib.orders.whereabouts import Access
from tests.crash.film import Stage, on_shelf, uploads
from tests.crash.story import Ask, only_cluster, run_all
from tests.orders_placed import MEMBER, change, grown, ordered
from tests.simulation import executions

SIZE, LARGER_GIB = 2, 3
ROWS = b"rows of a customer"
LOG, LINES = "/var/log/redis/dtrove/server.log", (b"first\n", b"then\n")
CIDRS = ("10.1.0.0/16", "203.0.113.7/32")
BY_HAND = {"cluster": {"name": "c1", "datastore": {"type": "redis"}, "size": SIZE, "flavorRef": "1"}}


def create() -> None:
    launch(ordered(SIZE, volume_gib=1).job)


def create_by_hand() -> None:
    """As from the AWS console: the first step records the order."""
    job = Job(job_id="by-hand", workflow="create_cluster")
    executions.begun(execution_arn(job), json.dumps({"project_id": "p1", **BY_HAND}))


def grow() -> None:
    launch(grown(existing()).job)


def delete() -> None:
    launch(change("delete_cluster", existing()).job)


def shrink() -> None:
    launch(change("remove_instance", existing(), existing().instance_ids[1]).job)


def rotate() -> None:
    launch(change("rotate_key", existing()).job)


def perform() -> None:
    cluster = existing()
    wish = Change("perform", cluster.cluster_id, cluster.instance_ids[:1], "look", ["uptime"])
    launch(place_change(wish, MEMBER).job)


def publish() -> None:
    """What was published before is thrown away; the log was turned over, so it comes in two parts."""
    primary = existing().instances()[0]
    manager = manager_of(Datastore.of_version(primary.datastore_version_id))
    launch(place_log_change(primary, manager.logs[0], ["discard", "publish"], MEMBER).job)


def publish_now(stage: Stage) -> None:
    write_logs(stage)
    publish()
    run_all(stage)


def write_logs(stage: Stage) -> None:
    for each in stage.guests.insides.values():
        each.logbook.write(LOG, LINES[0])
        each.logbook.turn(LOG)
        each.logbook.write(LOG, LINES[1])
    s3_key = f"logs/{existing().primary_id}/server/0000000001-1-000/000000000000000.log"
    aws.client("s3").put_object(Bucket=config.current().dtrove_bucket, Key=s3_key, Body=b"to be thrown away")


def let_in() -> None:
    cluster = existing()
    access = Access(is_public=True, allowed_cidrs=CIDRS)
    launch(place_access(cluster.cluster_id, cluster.instance_ids[0], access, MEMBER).job)


def enlarge() -> None:
    """The primary's volume, and so its replica's."""
    cluster = existing()
    launch(place_new_size(cluster.cluster_id, str(cluster.primary_id), LARGER_GIB, MEMBER).job)


def back_up() -> None:
    primary = existing().instances()[0]
    launch(place_backup(BackupOrder("b1", primary.instance_id), primary, MEMBER)[1].job)


def three_of_a_schedule(stage: Stage) -> None:
    with_rows(stage)
    primary = existing().instances()[0]
    Schedule(
        schedule_id="nightly",
        project_id=primary.project_id,
        cluster_id=primary.cluster_id,
        instance_id=primary.instance_id,
        name="nightly",
        cron="0 2 * * *",
        window_minutes=60,
        retention={"count": 1},
    ).add()
    for number in range(3):
        order = BackupOrder(f"b{number}", primary.instance_id, schedule_id="nightly")
        launch(place_backup(order, primary, MEMBER)[1].job)
        run_all(stage)


def expire() -> None:
    launch(place_expiry(Schedule.get("nightly"), MEMBER).job)


def with_rows(stage: Stage) -> None:
    for inside in stage.guests.insides.values():
        inside.data = ROWS


def only_a_backup(stage: Stage) -> None:
    """Have one, whose cluster is gone."""
    with_rows(stage)
    back_up()
    run_all(stage)
    delete()
    run_all(stage)


def restore() -> None:
    (backup,) = Backup.scan()
    order = ClusterOrder("c2", "", None, (InstanceOrder("1", volume_gib=1),) * SIZE, backup_id=backup.backup_id)
    launch(place_cluster(order, MEMBER).job)


def reboot() -> None:
    launch(change("reboot_instance", existing(), existing().instance_ids[1]).job)


def existing() -> Cluster:
    cluster = only_cluster()
    assert cluster is not None
    return cluster


@dataclass(frozen=True)
class Story:
    ask: Ask
    size: int  # instances afterwards
    is_first: bool = False  # nothing is there before it
    jobs: int = 2  # that there are then
    prepare: Callable[[Stage], None] = lambda stage: None
    published: bytes = b""  # afterwards

    def begin(self, stage: Stage) -> None:
        """Have what is there before it."""
        if not self.is_first:
            create()
            run_all(stage)
        self.prepare(stage)

    @property
    def is_recorded(self) -> bool:
        return len(list(Job.scan())) == self.jobs

    def check(self, stage: Stage) -> None:
        """The end state: exactly `size` whole instances, nothing else anywhere, all locks free, all counts true."""
        assert {job.status for job in Job.scan()} == {JobStatus.SUCCEEDED}
        assert b"".join(on_shelf().values()) == self.published
        if self.size == 0:
            assert stage.left() == []
            return
        check_cluster(stage, existing(), self.size)


@dataclass(frozen=True)
class LetIn(Story):
    def check(self, stage: Stage) -> None:
        """And what the record says of the first is so in the cloud, and of the second nothing has changed."""
        super().check(stage)
        first, second = existing().instances()
        servers = [stage.cloud.servers[each.instance_id] for each in (first, second)]
        assert [each.access.allowed_cidrs for each in servers] == [CIDRS, None]
        assert [tuple(each.allowed_cidrs or ()) for each in (first, second)] == [CIDRS, ()]
        assert [bool(each.is_public) for each in (first, second)] == [True, False]
        assert [each.public_address for each in (first, second)] == [each.public_address for each in servers]
        assert [bool(each.public_address) for each in servers] == [True, False]


@dataclass(frozen=True)
class Enlarge(Story):
    def check(self, stage: Stage) -> None:
        """And every volume is as large as its record says; what the project uses is checked with all the rest."""
        super().check(stage)
        instances = existing().instances()
        assert [each.volume_gib for each in instances] == [LARGER_GIB] * SIZE
        assert [stage.cloud.volumes[each.instance_id].size_gib for each in instances] == [LARGER_GIB] * SIZE
        assert all(
            "xfs_growfs -d /var/lib/redis" in stage.guests.insides[str(each.server_id)].ran for each in instances
        )


@dataclass(frozen=True)
class BackUp(Story):
    def check(self, stage: Stage) -> None:
        """And there is one backup, whole, and nothing else of it anywhere. A stray upload has nothing in it."""
        (backup,) = Backup.scan()
        assert (backup.status, backup.used_by, backup.data_bytes) == (BackupStatus.COMPLETED, None, len(ROWS))
        stored = on_shelf()
        assert set(stored) == {f"{backup.store_key}/{name}" for name in (DATA, MANIFEST)}
        assert [each.parts for each in uploads().values() if each.parts] == []
        assert existing().shared_by is None
        assert [each.backed_up_by for each in existing().instances()] == [None] * self.size
        for inside in stage.guests.insides.values():
            assert [path for path in inside.files if "identity" in path] == []  # addresses that come late expire
        self.check_data(stage)
        assert {(job.status, job.message) for job in Job.scan()} == {(JobStatus.SUCCEEDED, None)}
        check_cluster(stage, existing(), self.size)

    def check_data(self, stage: Stage) -> None:
        """Nothing has changed."""


@dataclass(frozen=True)
class Restore(BackUp):
    def check_data(self, stage: Stage) -> None:
        primary = existing().instances()[0]
        assert stage.guests.insides[str(primary.server_id)].data == ROWS
        assert primary.restored_from


STORIES = {
    "create": Story(create, SIZE, is_first=True, jobs=1),
    "grow": Story(grow, SIZE + 1),
    "delete": Story(delete, 0),
    "shrink": Story(shrink, SIZE - 1),
    "rotate": Story(rotate, SIZE),
    "perform": Story(perform, SIZE),
    "publish": Story(publish, SIZE, prepare=write_logs, published=b"".join(LINES)),
    "delete what was published": Story(delete, 0, jobs=3, prepare=publish_now),
    "let in": LetIn(let_in, SIZE),
    "enlarge": Enlarge(enlarge, SIZE),
    "back up": BackUp(back_up, SIZE, prepare=with_rows),
    "expire": BackUp(expire, SIZE, jobs=5, prepare=three_of_a_schedule),
    "restore": Restore(restore, SIZE, jobs=4, prepare=only_a_backup),
    "reboot": Story(reboot, SIZE),
}
CONSOLE = Story(create_by_hand, SIZE, is_first=True, jobs=1)


def check_cluster(stage: Stage, cluster: Cluster, size: int) -> None:
    instances = cluster.instances()
    assert (cluster.status, cluster.held_by, cluster.message) == (Status.ACTIVE, None, None)
    assert [each.status for each in instances] == [Status.ACTIVE] * size
    assert {each.held_by or each.busy_by for each in instances} == {None}
    assert set(stage.cloud.servers) == {each.instance_id for each in instances}
    assert set(stage.cloud.volumes) <= set(stage.cloud.servers)
    (key,) = Key.scan()
    assert [key.key_id] == cluster.key_ids == list({each.key_id for each in instances})
    use = Project.get("p1")
    assert (use.instances, use.volumes_gib) == (size, sum(each.volume_gib or 0 for each in instances))
    for each in instances:
        inside = stage.guests.insides[str(each.server_id)]
        assert inside.started.count("dtrove-prepare") == 1
        assert inside.started.count("dtrove-seed") == (0 if each.is_primary else 1)
        once = [unit for unit in inside.started if not unit.startswith("dtrove-restore-")]
        assert len(set(once)) == len(once)  # a restore that is begun again finds, on its volume, that it is done
        assert stage.guests.trusted_by(each) == {key.public}
