"""What guests are told of backups and restores, and what they tell of them."""

import subprocess
from dataclasses import replace

import pytest

from chalicelib.datastores import manager_of
from chalicelib.datastores.backups import REMOVE, Piece, Restoring, Taking
from chalicelib.datastores.base import BaseManager, Passwords
from chalicelib.datastores.mysql.native_password import native_password_hash
from chalicelib.datastores.sent import LINES_AT_ONCE, PARTS, TELL, Part, addresses
from chalicelib.errors import NotOffered, Permanent
from chalicelib.models.datastore import Datastore
from chalicelib.models.instance import Instance
from chalicelib.ssh.guest import UnitState, render
from tests.datastores.on_offer import version_of
from tests.datastores.test_every_manager import TalkativeGuest
from tests.fake_guest import FakeGuest

SHA256 = "ab" * 32
TAKING = Taking("b-1", "age1recipient", 2**24)
UNIT, FOLDER = "dtrove-backup-b-1", "/run/dtrove/dtrove-backup-b-1"
URL = "https://bucket.s3.eu-west-1.amazonaws.com/backups/b-1?partNumber=1&X-Amz-Signature=5ec7e7"
RESTORING = Restoring(
    "r-1",
    (
        Piece("b-1", (Part(1, 100, SHA256), Part(2, 50, SHA256)), "AGE-SECRET-KEY-1A"),
        Piece("b-2", (Part(1, 7, SHA256),), "AGE-SECRET-KEY-1B"),
    ),
)


@pytest.fixture(params=["redis", "mysql", "postgresql"])
def manager(request: pytest.FixtureRequest) -> BaseManager:
    return manager_of(version_of(request.param))


@pytest.fixture
def redis() -> BaseManager:
    return manager_of(version_of("redis"))


def test_a_backup_is_begun_once_and_its_addresses_are_for_root_alone(manager: BaseManager, primary: Instance) -> None:
    guest = FakeGuest()

    manager.begin_backup(primary, guest, TAKING, {1: URL})
    manager.begin_backup(primary, guest, TAKING, {1: "https://elsewhere/"})

    assert guest.script == [f"{UNIT}: /opt/dtrove/backup b-1 age1recipient 16777216 ''"]
    assert guest.files[f"{FOLDER}/urls"] == f"1 {URL}\n"
    assert guest.permissions[f"{FOLDER}/urls"] == "0600 root:root"
    assert guest.permissions["/opt/dtrove/backup"] == "0700 root:root"


@pytest.mark.parametrize("ending", [UnitState.SUCCEEDED, UnitState.FAILED])
def test_a_backup_that_ended_is_left_alone(redis: BaseManager, primary: Instance, ending: UnitState) -> None:
    guest = FakeGuest(units={UNIT: ending})

    redis.begin_backup(primary, guest, TAKING, {1: URL})

    assert (guest.script, guest.files) == ([], {})


def test_a_restore_is_begun_once_and_its_keys_are_for_root_alone(manager: BaseManager, primary: Instance) -> None:
    guest = FakeGuest()

    manager.begin_restore(primary, guest, RESTORING, {"b-1": URL, "b-2": URL})
    manager.begin_restore(primary, guest, RESTORING, {})

    folder = "/run/dtrove/dtrove-restore-r-1"
    assert guest.script == ["dtrove-restore-r-1: /opt/dtrove/restore r-1"]
    assert {path.removeprefix(folder): text for path, text in guest.files.items() if path.startswith(folder)} == {
        "/urls": f"b-1 {URL}\nb-2 {URL}\n",
        "/pieces": "b-1\nb-2\n",
        "/b-1.parts": f"1 100 {SHA256}\n2 50 {SHA256}\n",
        "/b-2.parts": f"1 7 {SHA256}\n",
        "/b-1.identity": "AGE-SECRET-KEY-1A\n",
        "/b-2.identity": "AGE-SECRET-KEY-1B\n",
    }
    assert {guest.permissions[path] for path in guest.files if path.startswith(folder)} == {"0600 root:root"}


def test_scripts_are_such_that_bash_understands(manager: BaseManager, primary: Instance) -> None:
    guest = FakeGuest()
    manager.begin_backup(primary, guest, TAKING, {})
    manager.begin_restore(primary, guest, RESTORING, {})

    for path in ("/opt/dtrove/backup", "/opt/dtrove/restore"):
        checked = subprocess.run(["bash", "-n"], input=guest.files[path], text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, ""), path


def test_what_a_guest_tells_of_a_backup(redis: BaseManager) -> None:
    lines = "".join(f"{number} 16777216 {SHA256}\n" for number in range(1, LINES_AT_ONCE + 1))
    told = 'of 900\nread 800\nversion 7.0.15\nposition {"replication_id": "ab", "offset": 7}\n'
    guest = FakeGuest(
        {render(TELL, {"folder": FOLDER}): told, page(1): lines, page(LINES_AT_ONCE + 1): f"501 9 {SHA256}\n"},
        units={UNIT: UnitState.RUNNING},
        endings={UNIT: UnitState.SUCCEEDED},
    )

    taken = redis.backup_progress(guest, "b-1")

    assert taken.state is UnitState.SUCCEEDED
    assert len(taken.parts) == LINES_AT_ONCE + 1
    assert (taken.parts[0], taken.parts[-1]) == (Part(1, 2**24, SHA256), Part(501, 9, SHA256))
    assert (taken.read_bytes, taken.of_bytes, taken.server_version) == (800, 900, "7.0.15")
    assert taken.position == '{"replication_id": "ab", "offset": 7}'
    assert redis.backup_progress(guest, "b-1", after=LINES_AT_ONCE).parts == taken.parts[-1:]


def test_of_one_that_was_lost_nothing_is_told(redis: BaseManager) -> None:
    guest = FakeGuest({render(TELL, {"folder": FOLDER}): "", page(1): ""})

    taken = redis.backup_progress(guest, "b-1")

    assert (taken.state, taken.parts, taken.read_bytes, taken.position) == (UnitState.NOT_STARTED, (), 0, None)


def test_the_position_of_one_that_failed_is_no_position(redis: BaseManager) -> None:
    guest = FakeGuest(
        {render(TELL, {"folder": FOLDER}): "of 9\nposition {}\n", page(1): ""},
        units={UNIT: UnitState.FAILED},
        outputs={UNIT: "The store answered 404 NoSuchUpload to part 1.\n"},
    )

    assert redis.backup_progress(guest, "b-1").position is None
    assert redis.backup_failure(guest, "b-1") == f"{UNIT} failed: The store answered 404 NoSuchUpload to part 1."


def test_its_end_removes_all_of_it(redis: BaseManager) -> None:
    remove = render(REMOVE, {"unit": UNIT, "data": "/var/lib/redis"})
    guest = FakeGuest({remove: ""}, units={UNIT: UnitState.RUNNING})

    redis.end_backup(guest, "b-1")
    redis.end_backup(guest, "b-1")

    assert guest.script == [remove, remove]
    assert guest.units == {}


@pytest.mark.parametrize("url", ['https://a/"\nupload-file = "/etc/shadow', "https://a/ b", "file:///etc/shadow", ""])
def test_an_address_cannot_tell_curl_anything_else(url: str) -> None:
    with pytest.raises(Permanent, match="The address of 7 is none"):
        addresses({7: url})


def test_a_datastore_says_what_it_does_not_offer(primary: Instance, redis: BaseManager) -> None:
    oracle = manager_of(Datastore(datastore="mysql", version="8.0", manager="mysql", packages=["mysql-server"]))

    with pytest.raises(NotOffered, match=r"^mysql 8\.0 has no backups here\.$"):
        oracle.begin_backup(primary, FakeGuest(), TAKING, {})
    with pytest.raises(NotOffered, match=r"^mysql 8\.0 has no backups here\.$"):
        oracle.begin_restore(primary, FakeGuest(), RESTORING, {})
    with pytest.raises(NotOffered, match=r"^redis 7\.0 has no incremental backups: take a full one\.$"):
        redis.begin_backup(primary, FakeGuest(), replace(TAKING, since="{}"), {})


def test_what_was_restored_is_opened_by_hashes_of_this_clusters_passwords(
    manager: BaseManager, primary: Instance, passwords: Passwords
) -> None:
    guest = TalkativeGuest()

    manager.adopt(primary, guest, passwords)

    assert guest.script
    for password in (passwords.root, passwords.replication):
        assert password not in "".join(guest.script)
        assert password.encode().hex() not in "".join(guest.script)


def test_mariadbs_replicas_are_let_in_whatever_the_backup_had(primary: Instance, passwords: Passwords) -> None:
    guest = TalkativeGuest()

    manager_of(version_of("mysql")).adopt(primary, guest, passwords)

    hashed = native_password_hash(passwords.replication)
    assert guest.script[-1].endswith(
        f"ALTER USER replication@'%' IDENTIFIED VIA mysql_native_password USING '{hashed}' ACCOUNT UNLOCK;\n"
    )


def test_no_key_is_shown() -> None:
    assert "AGE-SECRET-KEY" not in repr(RESTORING)


def page(first: int) -> str:
    return render(PARTS, {"file": f"{FOLDER}/parts", "first": first, "lines": LINES_AT_ONCE})
