"""What becomes of backups and restores when the store, the guest or the database fails in the middle: on a real guest.

The engine is Redis; what is tried here is the same for all.
"""

import base64
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest

from chalicelib.datastores.backups import Piece
from chalicelib.datastores.sent import Part
from chalicelib.providers.base import ServerStatus
from chalicelib.providers.nspawn.provider import NspawnProvider
from chalicelib.ssh.guest import UnitState
from tests.datastores.backing_up import Backup, Restore, until
from tests.datastores.clients import REFUSALS, RedisClient, eventually
from tests.datastores.real_cluster import RealCluster
from tests.datastores.scripted_store import ScriptedStore, flipped, store_at

pytestmark = pytest.mark.guests

VALUES, VALUE_BYTES = 24, 2**19
SOON_SECONDS = 30.0


@pytest.fixture(scope="module")
def guests(provider: NspawnProvider) -> Iterator[RealCluster]:
    """A server with some parts of data that cannot be compressed."""
    cluster = RealCluster(provider, "redis", "debian-12-golden")
    try:
        cluster.provision(cluster.add_members(1))
        cluster.start_primary()
        fill(cluster)
        yield cluster
    finally:
        cluster.destroy()


@pytest.fixture
def cluster(guests: RealCluster) -> RealCluster:
    """Its tries and its patience are those of a test."""
    guests.manager.store_pauses_seconds = (0.1, 0.1, 0.1)
    guests.manager.store_patience_seconds = 30
    guests.manager.store_stalled_seconds = 1
    return guests


@pytest.fixture
def store(provider: NspawnProvider) -> Iterator[ScriptedStore]:
    with store_at(str(provider.site.gateway)) as store:
        yield store


@pytest.fixture
def backup(cluster: RealCluster, store: ScriptedStore) -> Iterator[Backup]:
    backup = Backup(cluster, store, cluster.primary)
    yield backup
    backup.end()
    assert left(cluster, backup.backup_id) == ""


@pytest.fixture(scope="module")
def stored(guests: RealCluster, provider: NspawnProvider) -> tuple[Piece, dict[int, bytes]]:
    """A backup that is whole, and its parts."""
    with store_at(str(provider.site.gateway)) as store:
        backup = Backup(guests, store, guests.primary)
        backup.take()
        piece = backup.piece()
        backup.end()
        return piece, dict(store.parts[backup.backup_id])


@pytest.fixture
def restore(cluster: RealCluster, store: ScriptedStore, stored: tuple[Piece, dict[int, bytes]]) -> Iterator[Restore]:
    """A restore over what the server has. However it ends, the server is whole again after it."""
    piece, parts = stored
    store.parts[piece.backup_id] = dict(parts)
    restore = Restore(cluster, store, (piece,))
    yield restore
    restore.end()
    assert left(cluster, restore.restore_id) == ""
    store.parts[piece.backup_id] = dict(parts)
    store.faults.clear()
    store.expired.clear()
    store.seconds_a_part = 0
    if not serves(cluster):
        mended = Restore(cluster, store, (piece,))
        mended.restore()
        mended.end()
    assert serves(cluster)


def client_of(cluster: RealCluster) -> RedisClient:
    return RedisClient(str(cluster.primary.address), cluster.passwords.root)


def serves(cluster: RealCluster) -> bool:
    try:
        return client_of(cluster).read("born") == "well"
    except REFUSALS:
        return False


def fill(cluster: RealCluster) -> None:
    client_of(cluster).write("born", "well")
    for number in range(VALUES):
        client_of(cluster).write(f"bulk-{number}", base64.b64encode(os.urandom(VALUE_BYTES)).decode())


# --- the store fails, and comes back
@pytest.mark.parametrize("faults", [[500, 503, 429], ["cut", "flip"], ["stall"]], ids=str)
def test_a_part_that_failed_is_sent_again_alone(backup: Backup, store: ScriptedStore, faults: list[int | str]) -> None:
    store.faults[2] = [*faults]

    taken = backup.take()

    asked = [number for _, number, _ in store.asked]
    assert {number: asked.count(number) for number in asked} == {
        each.number: 1 + (len(faults) if each.number == 2 else 0) for each in taken.parts
    }
    assert_whole(backup, taken.parts)


def test_an_address_that_expired_costs_no_try_and_is_waited_for(backup: Backup, store: ScriptedStore) -> None:
    backup.cluster.manager.store_pauses_seconds = ()
    store.expired.add("old")

    store.faults[2] = ["ExpiredToken"]

    backup.begin("old")
    eventually(lambda: ("PUT", 1, 403) in store.asked, SOON_SECONDS)
    backup.hand_over("old")
    backup.hand_over("new")
    eventually(lambda: ("PUT", 2, 400) in store.asked, SOON_SECONDS)
    backup.hand_over("newer")

    assert_whole(backup, backup.taken().parts)
    assert (store.asked.count(("PUT", 1, 403)), store.asked.count(("PUT", 2, 400))) == (1, 1)


def test_addresses_come_in_batches(backup: Backup) -> None:
    backup.begin(parts=range(1, 3))
    until(backup.look, lambda taken: len(taken.parts) == 2)
    assert backup.look().state is UnitState.RUNNING

    backup.hand_over(parts=range(3, 64))

    assert_whole(backup, backup.taken().parts)


# --- the store refuses for good
@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({2: [404]}, "The store answered 404 Scripted to part 2."),
        ({1: [400]}, "The store answered 400 Scripted to part 1."),
        ({2: [500] * 4}, "The store did not take or give part 2 in 4 tries. The last: 500 Scripted"),
        ({1: ["flip"] * 4}, "The store did not take or give part 1 in 4 tries. The last: 400 BadDigest"),
    ],
    ids=str,
)
def test_what_the_store_refuses_for_good_is_told(
    backup: Backup, store: ScriptedStore, faults: dict[int, list[int | str]], why: str
) -> None:
    store.faults.update(faults)

    backup.begin()

    assert backup.failed() == f"dtrove-backup-{backup.backup_id} failed: {why}"


def test_access_that_is_denied_for_good_and_addresses_that_never_come_are_told(
    backup: Backup, store: ScriptedStore
) -> None:
    backup.cluster.manager.store_patience_seconds = 1
    store.expired.add("denied")
    backup.begin("denied")
    assert backup.failed().endswith("The store refused part 1 for 1 seconds (403 Scripted).")
    backup.end()

    backup.begin(parts=range(1, 3))
    assert backup.failed().endswith("No address of part 3 came within 1 seconds.")


# --- the guest and the database fail
def test_a_reboot_loses_the_backup_and_it_is_begun_anew(backup: Backup, store: ScriptedStore) -> None:
    store.seconds_a_part = 0.5
    backup.begin()
    until(backup.look, lambda taken: len(taken.parts) > 1)

    reboot(backup.cluster)
    assert backup.look().state is UnitState.NOT_STARTED
    assert backup.look().parts == ()

    store.seconds_a_part = 0
    store.parts.clear()
    assert_whole(backup, backup.take().parts)


def test_it_runs_once_however_often_it_is_begun(backup: Backup, store: ScriptedStore) -> None:
    store.seconds_a_part = 0.1
    for _ in range(3):
        backup.begin()
    taken = backup.taken()
    backup.begin()

    assert backup.look() == taken
    assert VALUES * VALUE_BYTES < taken.read_bytes < 2 * VALUES * VALUE_BYTES
    assert [number for _, number, _ in store.asked] == [each.number for each in taken.parts]


def test_it_is_stopped_in_the_middle_and_leaves_nothing(backup: Backup, store: ScriptedStore) -> None:
    store.seconds_a_part = 0.5
    backup.begin()
    until(backup.look, lambda taken: len(taken.parts) > 0)

    backup.end()
    backup.end()

    assert backup.look().state is UnitState.NOT_STARTED
    assert left(backup.cluster, backup.backup_id) == ""


def test_a_full_disk_is_told(backup: Backup) -> None:
    with mounted(backup.cluster, "/var/tmp", "1M"):
        backup.begin()
        assert "No space left on device" in backup.failed()


def test_a_database_that_stops_in_the_middle_is_told(backup: Backup) -> None:
    backup.cluster.run(backup.instance, "/opt/dtrove/ask-redis CONFIG SET rdb-key-save-delay 100000")
    backup.begin()
    until(backup.look, lambda taken: taken.read_bytes > VALUE_BYTES)
    backup.cluster.run(backup.instance, "systemctl kill --signal=KILL redis-server")

    assert "I/O Error" in backup.failed()
    backup.cluster.until_done(lambda: backup.cluster.run(backup.instance, "/opt/dtrove/service start"))


def test_a_store_that_stands_still_does_not_keep_the_databases_fork(backup: Backup) -> None:
    backup.begin(parts=range(1, 2))
    until(backup.look, lambda taken: len(taken.parts) == 1)

    forked = "/opt/dtrove/ask-redis INFO persistence | grep rdb_bgsave_in_progress: | tr -d '\\r'"
    until(lambda: backup.cluster.run(backup.instance, forked), lambda said: said == "rdb_bgsave_in_progress:0\n")
    assert backup.look().state is UnitState.RUNNING
    backup.hand_over()

    assert_whole(backup, backup.taken().parts)


def test_tools_that_an_image_lacks_are_installed(backup: Backup) -> None:
    backup.cluster.run(backup.instance, "dpkg --remove age curl 2>/dev/null")

    assert backup.take().parts


def test_it_weighs_less_than_the_servers_work(backup: Backup) -> None:
    backup.begin(parts=range(1, 2))
    until(backup.look, lambda taken: len(taken.parts) == 1)

    asked = (
        "systemctl show --property=CPUWeight,IOWeight --value {unit};"
        " cat /proc/$(pgrep -x zstd)/oom_score_adj; ps --no-headers -o ni -C zstd"
    )
    with backup.cluster.guest(backup.instance) as guest:
        told = guest.run(asked, unit=f"dtrove-backup-{backup.backup_id}.service").split()
    assert told == ["20", "20", "1000", "10"]


# --- reading
@pytest.mark.parametrize("faults", [[500, 503, 429], ["cut", "flip"]], ids=str)
def test_a_part_that_failed_is_read_again_alone(
    restore: Restore, store: ScriptedStore, faults: list[int | str]
) -> None:
    store.faults[0] = [*faults]

    restore.restore()

    assert len(store.asked) == len(restore.pieces[0].parts) + len(faults)


def test_an_address_to_read_that_expired_costs_no_try_and_is_waited_for(restore: Restore, store: ScriptedStore) -> None:
    restore.cluster.manager.store_pauses_seconds = ()
    store.expired.add("old")

    restore.begin("old")
    eventually(lambda: ("GET", 0, 403) in store.asked, SOON_SECONDS)
    restore.hand_over("new")

    restore.done()


def test_a_flipped_bit_is_found_before_the_datastore_is_opened(restore: Restore, store: ScriptedStore) -> None:
    (piece,) = restore.pieces
    store.parts[piece.backup_id][3] = flipped(store.parts[piece.backup_id][3])

    restore.begin()

    assert restore.failed().endswith(f": Part 3 of backup {piece.backup_id} is not what was stored.")
    assert_closed(restore)


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ([404], "The store answered 404 Scripted to part 1 of backup"),
        ([500] * 4, "in 4 tries. The last: 500 Scripted"),
    ],
    ids=str,
)
def test_what_the_store_does_not_give_is_told(
    restore: Restore, store: ScriptedStore, faults: list[int | str], why: str
) -> None:
    store.faults[0] = faults

    restore.begin()

    assert why in restore.failed()
    assert_closed(restore)


def test_another_key_opens_nothing(restore: Restore) -> None:
    another = Backup(restore.cluster, restore.store, restore.instance).identity
    restore.pieces = (replace(restore.pieces[0], identity=another),)

    restore.begin()

    assert "no identity matched any of the recipients" in restore.failed()
    assert_closed(restore)


def test_a_reboot_loses_the_restore_and_it_is_begun_anew(restore: Restore, store: ScriptedStore) -> None:
    store.seconds_a_part = 0.3
    restore.begin()
    until(restore.look, lambda restored: restored.done_bytes > 0)

    reboot(restore.cluster)
    assert restore.look().state is UnitState.NOT_STARTED
    assert_closed(restore)

    store.seconds_a_part = 0
    restore.restore()


def test_what_was_restored_is_not_touched_again(restore: Restore) -> None:
    restore.restore()
    client_of(restore.cluster).write("later", "well")
    reboot(restore.cluster)

    restore.begin()

    until(restore.look, lambda restored: restored.state is UnitState.SUCCEEDED)
    assert client_of(restore.cluster).read("later") == "well"


@pytest.mark.parametrize("folder", ["/var/lib/redis", "/var/tmp"])
def test_a_disk_that_gets_full_is_told(restore: Restore, folder: str) -> None:
    restore.cluster.run(restore.instance, "systemctl stop redis-server")
    with mounted(restore.cluster, folder, "900k"):
        restore.begin()
        assert re.search("No space left on device|own disk failed or is full", restore.failed())
        restore.end()
    if folder == "/var/tmp":
        assert_closed(restore)


# --- secrets
def test_no_secret_is_where_others_read(
    cluster: RealCluster, backup: Backup, store: ScriptedStore, restore: Restore
) -> None:
    store.seconds_a_part = 0.3
    token = "deadbeefdeadbeef"
    backup.begin(token)
    until(backup.look, lambda taken: len(taken.parts) > 0)
    assert open_to_others(cluster, token) == ""
    backup.end()
    restore.begin(token)
    until(restore.look, lambda restored: restored.done_bytes > 0)
    for secret in (token, restore.pieces[0].identity):
        assert holders(cluster, secret) != ""  # while it is used
        assert open_to_others(cluster, secret) == ""
    store.seconds_a_part = 0
    restore.done()
    assert holders(cluster, restore.pieces[0].identity) == ""
    restore.end()
    assert holders(cluster, token) == ""


def open_to_others(cluster: RealCluster, secret: str) -> str:
    """Return where others than root may read it: processes' arguments, the journal, units, files."""
    search = """cat >/root/pattern; {{
        grep --files-with-matches --text --fixed-strings --file=/root/pattern /proc/[0-9]*/cmdline
        journalctl --no-pager --output=cat | grep --fixed-strings --file=/root/pattern
        systemctl show '*' | grep --fixed-strings --file=/root/pattern
        grep -rlsF --devices=skip --file=/root/pattern /etc /opt /run /var /tmp |
            xargs -r -d '\\n' -n 1 runuser -u nobody -- sh -c '[ ! -r "$1" ] || echo "$1"' sh
    }} ; rm /root/pattern"""
    with cluster.guest(cluster.primary) as guest:
        return guest.run(search, stdin=f"{secret}\n")


def holders(cluster: RealCluster, secret: str) -> str:
    with cluster.guest(cluster.primary) as guest:
        return guest.run(
            "grep -rlsFf - --devices=skip /etc /home /opt /root /run /tmp /var || true", stdin=f"{secret}\n"
        )


def assert_whole(backup: Backup, parts: Sequence[Part]) -> None:
    """What is stored is what was told of it, and opens with its key to the end."""
    stored = backup.store.parts[backup.backup_id]
    assert [(each.number, each.size) for each in parts] == [
        (number, len(body)) for number, body in sorted(stored.items())
    ]
    assert len(parts) > 3
    with backup.cluster.guest(backup.instance) as guest:
        guest.run("cat >/tmp/identity", stdin=backup.identity)
        address = backup.store.url(backup.backup_id)
        opened = (
            "curl -s --range 0-99999999 {address} | age -d -i /tmp/identity | zstd -dc | tail -c 40; rm /tmp/identity"
        )
        assert len(guest.run(opened, address=address)) == 40


def assert_closed(restore: Restore) -> None:
    with pytest.raises(REFUSALS):
        client_of(restore.cluster).read("born")
    with restore.cluster.guest(restore.instance) as guest:
        assert guest.run("ls /var/lib/redis/.dtrove-whole 2>/dev/null || echo none") == "none\n"


def reboot(cluster: RealCluster) -> None:
    cluster.provider.reboot(cluster.primary)
    eventually(
        lambda: cluster.provider.update_status(cluster.primary)[0] is ServerStatus.ACTIVE,
        SOON_SECONDS,
    )
    cluster.until_done(lambda: cluster.run(cluster.primary, "true"))


def left(cluster: RealCluster, run_id: str) -> str:
    """Return what is left on the guest of a backup or a restore."""
    with cluster.guest(cluster.primary) as guest:
        return guest.run("find /run /var/tmp /var/lib/redis -xdev -name {name}", name=f"*{run_id}*")


@contextmanager
def mounted(cluster: RealCluster, folder: str, size: str) -> Iterator[None]:
    with cluster.guest(cluster.primary) as guest:
        guest.run("mount -t tmpfs -o size={size} tmpfs {folder}", size=size, folder=folder)
    yield
    with cluster.guest(cluster.primary) as guest:
        guest.run("umount {folder}", folder=folder)
