"""Every command of python-troveclient, in an order in which a person could give them: what it shows, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

INSTANCE = (
    "allowed_cidrs, created, datastore, datastore_version, datastore_version_number, flavor, id, name, "
    "operating_status, public, region, role, service_status_updated, status, updated, volume"
)
GROUP = (
    "created, datastore_name, datastore_version_name, datastore_version_number, description, id, instance_count, "
    "name, updated, values"
)
CLUSTER = (
    "created, datastore, datastore_version, id, instance_count, name, status, task_description, task_name, updated"
)
BACKUP = (
    "created, data_bytes, datastore, datastore_version, datastore_version_id, description, id, instance_id, job_id, "
    "locationRef, name, parent_id, progress, project_id, schedule_id, server_version, size, status, "
    "storage_driver, stored_bytes, updated"
)
LOG = "name, type, status, published, pending, container, prefix, metafile"
SHOWN = {  # the columns of what shows some; all other commands say nothing of their own
    "datastore list": "ID, Name",
    "datastore show": "default_version, id, name, versions (id)",
    "datastore version list": "ID, Name, Version",
    "datastore version show": "datastore, id, name, version",
    "database flavor list": "ID, Name, RAM, vCPUs, Disk, Ephemeral",
    "database flavor show": "disk, ephemeral, id, name, ram, vcpus",
    "database quota show": "Resource, In Use, Reserved, Limit",
    "database quota update": "instances",
    "database instance list": "ID, Name, Datastore, Datastore Version, Status, Operating Status, Public, Addresses, "
    "Flavor ID, Size, Role",
    "database instance show": f"{INSTANCE}, addresses, ip",
    "database instance create": f"{INSTANCE}, job_id",
    "database db list": "Name",
    "database user list": "Name, Host, Databases",
    "database user show": "name, host, databases",
    "database user show access": "Name",
    "database root show": "is_root_enabled",
    "database root enable": "name, password",
    "database configuration parameter list": "Name, Type, Min Size, Max Size, Restart Required",
    "database configuration parameter show": "datastore_version_id, name, restart_required, type",
    "database configuration create": GROUP,
    "database configuration list": "ID, Name, Description, Datastore Name, Datastore Version Name, "
    "Datastore Version Number",
    "database configuration show": GROUP,
    "database configuration instances": "ID, Name",
    "database configuration default": "",  # the parameters themselves
    "database backup create": BACKUP,
    "database backup list": "ID, Instance ID, Name, Status, Parent ID, Updated, Project ID",
    "database backup list instance": "ID, Instance ID, Name, Status, Parent ID, Updated",
    "database backup show": BACKUP,
    "database log list": "Name, Type, Status, Published, Pending, Container, Prefix",
    "database log show": LOG,
    "database log set": LOG,
    "database cluster create": f"{CLUSTER}, job_id, password",
    "database cluster list": "ID, Name, Datastore, Datastore Version, Task Name",
    "database cluster show": CLUSTER,
    "database cluster list instances": "ID, Name, Flavor ID, Size, Status",
}
MAY_SHOW = {  # beside these: where there is such a thing
    "database cluster create": "ip",
    "database cluster show": "ip",
    "database instance create": "password, replica_of, addresses, ip",
    "database instance list": "Server ID, Tenant ID",
    "database instance show": "replica_of, replicas, configuration, volume_used",
    "database configuration parameter show": "min, max",
}


def fault_of_columns(command: str, shown: Mapping[str, Any]) -> str:
    """Return a sentence if these are not the columns of the command, or else nothing."""
    must, may = columns(SHOWN[command]), columns(MAY_SHOW.get(command, ""))
    lost, strange = must - set(shown), set(shown) - must - may
    return f"columns lost: {lost}, strange: {strange}" if lost or (strange and must) else ""


def columns(told: str) -> set[str]:
    return set(told.split(", ")) - {""}


NOT_YET = r"not offered yet\. \(HTTP 501\)"
NO_CATALOG = r"has no attribute|\ANone\Z"  # the client itself: it wants Swift's or Mistral's endpoint, of a Keystone
NO_PROJECT = "No project with a name or ID of|Only administrators may see"  # of tokens; of a Keystone
NEW = "--flavor 1 --size 1 --datastore {datastore} --datastore-version {version}"
NODE = "--instance flavor=1,volume=1"
NOBODY = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True)
class Row:
    """A command and its arguments, in which {name} stands for the id of what was shown by that name before.

    {datastore}, {version}, {parameter}, {project} and {other} are told when the day begins.
    """

    command: str
    arguments: str = ""
    refused: str = ""  # what it says as it fails, a regular expression; "": it must succeed
    by: str = "member"
    says: str = ""  # the same of what succeeds, beside what SHOWN has
    awaited: str = ""  # what must be ACTIVE before the next: "instance db1"


DAY = (
    # --- what is on offer
    Row("datastore list"),
    Row("datastore show", "{datastore}"),
    Row("datastore version list", "{datastore}"),
    Row("datastore version show", "{version} --datastore {datastore}"),
    Row("database flavor list"),
    Row("database flavor show", "2"),
    Row("database limit list", says=r"max_instances +\| \d+ "),
    Row("database quota show", "{project}"),
    Row("database quota show", "{other}", refused=NO_PROJECT),
    # --- an instance
    Row("database instance create", f"db1 {NEW} --databases a b --users al:correct-horse", awaited="instance db1"),
    Row("database instance list"),
    Row("database instance show", "db1"),
    Row("database instance update", "db1 --name db2"),
    Row("database instance update", "db2 --name db1"),
    Row("database instance restart", "db1", awaited="instance db1"),
    # --- databases, users, root
    Row("database db create", "db1 c"),
    Row("database db list", "db1"),
    Row("database db delete", "db1 c"),
    Row("database user create", "db1 bo correct-horse --databases a"),
    Row("database user list", "db1"),
    Row("database user show", "db1 bo"),
    Row("database user grant access", "db1 bo b"),
    Row("database user show access", "db1 bo"),
    Row("database user revoke access", "db1 bo b"),
    Row("database user update attributes", "db1 bo --new_name bob"),
    Row("database user delete", "db1 bob"),
    Row("database root show", "db1"),
    Row("database root enable", "db1"),
    Row("database root disable", "db1"),
    # --- configuration groups
    Row("database configuration parameter list", "{version} --datastore {datastore}"),
    Row("database configuration parameter show", "{version} {parameter} --datastore {datastore}"),
    Row(
        "database configuration create",
        'tuning {{"{parameter}":77}} --datastore {datastore} --datastore-version {version}',
    ),
    Row("database configuration list"),
    Row("database configuration show", "tuning"),
    Row("database configuration attach", "db1 tuning"),
    Row("database configuration instances", "tuning"),
    Row("database configuration default", "db1"),
    Row("database configuration parameter set", '{tuning} {{"{parameter}":78}}'),
    Row("database configuration set", '{tuning} {{"{parameter}":79}}'),
    Row("database configuration detach", "db1"),
    Row("database configuration delete", "tuning"),
    # --- replicas
    Row("database instance create", "copy --replica-of db1", awaited="instance copy"),
    Row("database instance promote", "copy", refused=NOT_YET),
    Row("database instance eject", "db1", refused=NOT_YET),
    Row("database instance detach", "copy", refused=NOT_YET),
    Row("database instance resize flavor", "copy 2", refused=NOT_YET),
    Row("database instance resize volume", "copy 2", awaited="instance copy"),
    Row("database instance upgrade", "copy {version}", refused=NOT_YET),
    Row("database instance delete", "copy", says="has been accepted"),
    # --- logs, SSL, backups
    Row("database log list", "db1"),
    Row("database log show", "db1 general"),
    Row("database log set", "db1 general --enable"),
    Row("database log tail", "db1 general", refused=NO_CATALOG),
    Row("database log save", "db1 general", refused=NO_CATALOG),
    Row("database ssl show", "db1", refused=NOT_YET),
    Row("database ssl enable", "db1 http://container", refused=NOT_YET),
    Row("database ssl disable", "db1", refused=NOT_YET),
    Row("database ssl rollback", "db1", refused=NOT_YET),
    Row("database backup create", "b1 --instance db1", awaited="backup b1"),
    Row("database backup create", "b2 --instance db1 --incremental --description more", awaited="backup b2"),
    Row("database backup list"),
    Row("database backup list instance", "db1"),
    Row("database backup show", "b1"),
    Row("database instance create", f"again {NEW} --backup b2", awaited="instance again"),
    Row("database instance delete", "again", says="has been accepted"),
    Row("database backup delete", "b1", says="has been accepted"),
    Row("database backup delete", NOBODY, refused="HTTP 404|No .*with a name or ID"),
    Row("database backup strategy list", refused=NOT_YET),
    Row("database backup strategy create", "--swift-container c", refused=NOT_YET),
    Row("database backup strategy delete", refused=NOT_YET),
    Row("database backup execution delete", NOBODY, refused=NO_CATALOG),
    # --- clusters
    Row("database cluster create", f"c1 {{datastore}} {{version}} {NODE} {NODE}", awaited="cluster c1"),
    Row("database cluster list"),
    Row("database cluster show", "c1"),
    Row("database cluster list instances", "c1"),
    Row("database cluster grow", f"c1 {NODE}", awaited="cluster c1"),
    Row("database cluster list instances", "c1"),
    Row("database cluster shrink", "c1 {c1-member-3}", awaited="cluster c1"),
    Row("database cluster upgrade", "c1 {version}", refused=NOT_YET),
    Row("database cluster modules", "c1", refused=NOT_YET),
    Row("database cluster reset status", "c1", refused="HTTP 403"),
    Row("database cluster reset status", "c1", by="admin"),
    Row("database cluster delete", "c1"),
    Row("database cluster create", f"c2 {{datastore}} {{version}} {NODE}", awaited="cluster c2"),
    Row("database cluster force delete", "c2", by="admin"),
    # --- administrators
    Row("database instance list", "--all-projects", by="admin"),
    Row("database instance list", "--all-projects", refused="does not have admin privileges"),
    Row("database instance reset status", "db1", refused="HTTP 403"),
    Row("database instance reset status", "db1", by="admin"),
    Row("database instance reboot", "{db1}", by="admin", awaited="instance db1"),
    Row("database instance rebuild", f"{{db1}} {NOBODY}", refused=NOT_YET, by="admin"),
    Row("database quota update", "{project} instances 15", by="admin"),
    Row("database quota show", "{project}", by="admin"),
    Row("datastore version create", "next extra redis debian-12 --active --default", by="admin"),
    Row("datastore version list", "extra", by="admin"),
    Row("datastore version set", "{next} --disable", by="admin"),
    Row("datastore version delete", "{next}", by="admin"),
    Row("datastore delete", "{datastore}", refused="HTTP 400", by="admin"),
    Row("datastore delete", "extra", by="admin"),
    Row("database instance delete", "db1", says="has been accepted"),
    Row("database instance create", f"db3 {NEW}", awaited="instance db3"),
    Row("database instance force delete", "db3", by="admin"),
)
