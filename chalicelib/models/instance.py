"""Instances: one database server of a cluster, with what the cloud and the guest told us of it."""

from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
)
from pynamodb.exceptions import UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

from chalicelib import config
from chalicelib.checks import TEMPLATES
from chalicelib.config import Config
from chalicelib.errors import ConfigError
from chalicelib.models.page import one_page
from chalicelib.models.record import TAKEN, HeldRecord, now, table_name
from chalicelib.models.status import Role, Status
from chalicelib.words import nearest, words_of

REALM = "all"  # the one partition of EveryInstance


class InstancesByProject(GlobalSecondaryIndex["Instance"]):
    """All instances of a project, members of clusters among them."""

    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project_id = UnicodeAttribute(hash_key=True)
    instance_id = UnicodeAttribute(range_key=True)


class StandaloneByProject(GlobalSecondaryIndex["Instance"]):
    """The instances that are clusters of their own: what /instances shows unless asked for more."""

    class Meta:
        index_name = "standalone_by_project"
        projection = AllProjection()

    standalone_in = UnicodeAttribute(hash_key=True)
    instance_id = UnicodeAttribute(range_key=True)


class InstancesByConfiguration(GlobalSecondaryIndex["Instance"]):
    """Those that have a configuration group."""

    class Meta:
        index_name = "by_configuration"
        projection = IncludeProjection(["name", "cluster_id", "project_id"])

    configuration_id = UnicodeAttribute(hash_key=True)
    instance_id = UnicodeAttribute(range_key=True)


class EveryInstance(GlobalSecondaryIndex["Instance"]):
    """The ids of all instances there are, for administrators. Keys alone: a change of a record costs nothing here."""

    class Meta:
        index_name = "everywhere"
        projection = KeysOnlyProjection()

    realm = UnicodeAttribute(hash_key=True)
    instance_id = UnicodeAttribute(range_key=True)


class Instance(HeldRecord):
    class Meta:
        table_name = table_name("instances")

    instance_id = UnicodeAttribute(hash_key=True)
    cluster_id = UnicodeAttribute()
    by_project = InstancesByProject()
    standalone_in = UnicodeAttribute(null=True)  # project_id, unless it is a member of a `cluster`
    standalone_by_project = StandaloneByProject()
    configuration_id = UnicodeAttribute(null=True)  # the group whose values its server has
    by_configuration = InstancesByConfiguration()
    waiting_parameters: UnicodeSetAttribute = UnicodeSetAttribute(null=True)  # in force after a restart only
    realm = UnicodeAttribute(default=REALM)
    everywhere = EveryInstance()
    name = UnicodeAttribute()
    role = UnicodeAttribute(default=Role.REPLICA)
    datastore = UnicodeAttribute()
    datastore_version = UnicodeAttribute()
    datastore_version_id = UnicodeAttribute()
    flavor_id = UnicodeAttribute()
    memory_mib = NumberAttribute()
    vcpus = NumberAttribute(default=1)
    volume_gib = NumberAttribute(null=True)  # None: the data lives on the server's own disk
    is_ungrown = BooleanAttribute(null=True)  # its file system has not taken the volume's new room yet
    volume_type = UnicodeAttribute(null=True)  # None: the cloud's default
    # --- where it shall be, and who may come
    availability_zone = UnicodeAttribute(null=True)  # None: any
    locality = UnicodeAttribute(null=True)  # its cluster's: how near each other their servers shall be
    network_id = UnicodeAttribute(null=True)  # asked for, or else noted by the provider
    subnet_id = UnicodeAttribute(null=True)
    ip_address = UnicodeAttribute(null=True)  # the one asked for; `address` is the one it has
    is_public = BooleanAttribute(default=False)
    allowed_cidrs: ListAttribute[str] = ListAttribute(null=True)  # None: its database answers everybody
    access_changes = NumberAttribute(null=True)  # how many were asked for: the clouds take none that is older
    status = UnicodeAttribute(default=Status.CREATING)
    message = UnicodeAttribute(null=True)  # error of the last step on it
    status_before = UnicodeAttribute(null=True)  # what it is again after a failure; None: ERROR
    backed_up_by = UnicodeAttribute(null=True)  # the job that takes a backup of it now
    restored_from = UnicodeAttribute(null=True)  # the backup whose data it was born with; noted once that is there
    # --- the job in hand
    step = UnicodeAttribute(null=True)  # the step begun last
    progress = NumberAttribute(default=0)  # percent of the server's current task, as the cloud says
    busy_by = UnicodeAttribute(null=True)  # the job whose step is in the middle of an effect …
    busy_until = UTCDateTimeAttribute(null=True)  # … and when its Lambda is dead for certain
    rebooted_by = UnicodeAttribute(null=True)  # the job that asked last for a reboot of its server
    joined_at = UTCDateTimeAttribute(null=True)  # when it first served; None while it never has
    # --- the server, as the provider noted it
    server_id = UnicodeAttribute(null=True)
    server_status = UnicodeAttribute(null=True)
    local_id = UnicodeAttribute(null=True)  # the server's name on its compute host, for DTROVE_PREFIX
    compute_host = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)  # IPv4
    public_address = UnicodeAttribute(null=True)  # one more, of the cloud's public network
    volume_id = UnicodeAttribute(null=True)
    volume_device = UnicodeAttribute(null=True)  # a name that stays, e.g. /dev/vdb
    # --- the guest
    user = UnicodeAttribute(null=True)  # whom we log in as
    key_id = UnicodeAttribute(null=True)  # the SSH key pair it trusts
    host_key = UnicodeAttribute(null=True)  # OpenSSH line of its public host key, pinned before its birth
    created_at = UTCDateTimeAttribute(default=now)
    updated_at = UTCDateTimeAttribute(default=now)

    def clear_note_of(self, job_id: str) -> None:
        """Take away the note that a step of this job is acting; that of another job's step stays."""
        busy_by: Any = Instance.busy_by
        try:
            self.update(
                actions=[Instance.busy_by.remove(), Instance.busy_until.remove()],
                condition=busy_by == job_id,
                add_version_condition=False,
            )
        except UpdateError as error:
            if error.cause_response_code != TAKEN:
                raise

    @property
    def is_primary(self) -> bool:
        return self.role == Role.PRIMARY

    @property
    def connection_info(self) -> dict[str, str | None]:
        """What a person needs to reach the guest (the key itself is in the sealed Key record)."""
        return {"host": self.address, "user": self.user, "key_id": self.key_id, "host_key": self.host_key}


def page_of_instances(
    project_id: str, limit: int, marker: str | None, *, with_members: bool
) -> tuple[list[Instance], str | None]:
    """Return instances by ascending id after `marker`, and the marker of the next page if there is one."""
    index: Any = Instance.by_project if with_members else Instance.standalone_by_project
    after: Any = InstancesByProject.instance_id > marker if marker else None
    instances, more = one_page(index.query(project_id, after, limit=limit + 1, page_size=limit + 1), limit)
    return instances, instances[-1].instance_id if more else None


def page_of_attached(configuration_id: str, limit: int, marker: str | None) -> tuple[list[Instance], str | None]:
    """Return ids, names and clusters of the instances that have the group, as `page_of_instances` does."""
    after: Any = InstancesByConfiguration.instance_id > marker if marker else None
    found = Instance.by_configuration.query(configuration_id, after, limit=limit + 1, page_size=limit + 1)
    instances, more = one_page(found, limit)
    return instances, instances[-1].instance_id if more else None


def every_instance(limit: int, marker: str | None) -> tuple[list[Instance], str | None]:
    """Return instances of all projects as `page_of_instances` does, in two requests; at most 100."""
    after: Any = EveryInstance.instance_id > marker if marker else None
    found = Instance.everywhere.query(REALM, after, limit=limit + 1, page_size=limit + 1)
    keys, more = one_page(found, limit)
    ids = [each.instance_id for each in keys]
    records = {each.instance_id: each for each in Instance.batch_get(ids)} if ids else {}
    return [records[each] for each in ids if each in records], ids[-1] if more else None


def check_templates(settings: Config) -> None:
    """Raise ConfigError if a command's prefix or the host to connect to asks for what no instance has."""
    known = Instance.get_attributes()
    wrong = [
        f"{setting.upper()}: an instance has no {word}{nearest(word, known)}"
        for setting in TEMPLATES
        for word in sorted((words_of(getattr(settings, setting)) or set()) - set(known))
    ]
    if wrong:
        raise ConfigError("; ".join(wrong))


check_templates(config.current())  # here is where the names are known, and every function comes by
