"""Clusters: what the customer asked for, and how far we have come."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.models.instance import REALM, Instance
from chalicelib.models.page import one_page
from chalicelib.models.record import HeldRecord, now, table_name
from chalicelib.models.sealed import Sealed
from chalicelib.models.status import Role, Status


class Kind(StrEnum):
    STANDALONE = "standalone"  # an instance of its own: shown at /instances
    CLUSTER = "cluster"  # shown at /clusters


class Member(MapAttribute[str, str]):
    instance_id = UnicodeAttribute()
    name = UnicodeAttribute()


class ClustersByProject(GlobalSecondaryIndex["Cluster"]):
    """One page of a project's clusters is one query; stand-alone instances are not in it."""

    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    listed_in = UnicodeAttribute(hash_key=True)
    cluster_id = UnicodeAttribute(range_key=True)


class EveryCluster(GlobalSecondaryIndex["Cluster"]):
    """The ids of all clusters there are, stand-alone instances' among them, for administrators. Keys alone."""

    class Meta:
        index_name = "everywhere"
        projection = KeysOnlyProjection()

    realm = UnicodeAttribute(hash_key=True)
    cluster_id = UnicodeAttribute(range_key=True)


class Cluster(HeldRecord):
    class Meta:
        table_name = table_name("clusters")

    cluster_id = UnicodeAttribute(hash_key=True)  # the console knows only this
    listed_in = UnicodeAttribute(null=True)  # project_id of a `cluster`; absent from a `standalone`
    by_project = ClustersByProject()
    realm = UnicodeAttribute(default=REALM)
    everywhere = EveryCluster()
    kind = UnicodeAttribute(default=Kind.CLUSTER)
    name = UnicodeAttribute()
    datastore = UnicodeAttribute()  # the datastore's name, e.g. "mysql"
    datastore_version = UnicodeAttribute()  # e.g. "10.11"
    datastore_version_id = UnicodeAttribute()
    members: ListAttribute[Member] = ListAttribute(of=Member, default=list)  # in the order they joined
    locality = UnicodeAttribute(null=True)  # how near each other its servers shall be; None: as it comes
    primary_id = UnicodeAttribute(null=True)  # the member whose role is primary
    status = UnicodeAttribute(default=Status.CREATING)
    message = UnicodeAttribute(null=True)  # why it is in ERROR
    key_ids: ListAttribute[str] = ListAttribute(default=list)  # its SSH key pairs; new guests trust the last
    passwords = Sealed(null=True)
    first_accounts = Sealed(null=True)  # databases and users it shall be born with; gone once it is made
    root_enabled_at = UTCDateTimeAttribute(null=True)  # when root was let in last, at birth or since …
    root_enabled_by = UnicodeAttribute(null=True)  # … and who asked for it
    last_job_id = UnicodeAttribute(null=True)  # who held it last: only that job may take it up again (redrive)
    shared_by: UnicodeSetAttribute = UnicodeSetAttribute(null=True)  # jobs that may run beside each other (backups)
    created_at = UTCDateTimeAttribute(default=now)
    updated_at = UTCDateTimeAttribute(default=now)

    @property
    def instance_ids(self) -> list[str]:
        return [member.instance_id for member in self.members]

    def instances(self) -> list[Instance]:
        """Return the members' records in the order of `members`: one request, consistent."""
        found = {each.instance_id: each for each in Instance.batch_get(self.instance_ids, consistent_read=True)}
        return [found[each] for each in self.instance_ids if each in found]


def primary_of(instances: Sequence[Instance]) -> Instance | None:
    return next((each for each in instances if each.role == Role.PRIMARY), None)


def page_of_clusters(project_id: str, limit: int, marker: str | None) -> tuple[list[Cluster], str | None]:
    """Return clusters by ascending id after `marker`, and the marker of the next page if there is one."""
    after: Any = ClustersByProject.cluster_id > marker if marker else None
    found = Cluster.by_project.query(project_id, after, limit=limit + 1, page_size=limit + 1)
    clusters, more = one_page(found, limit)
    return clusters, clusters[-1].cluster_id if more else None


def every_cluster(limit: int, marker: str | None) -> tuple[list[Cluster], str | None]:
    """Return clusters of all projects as `page_of_clusters` does, in two requests; at most 100."""
    after: Any = EveryCluster.cluster_id > marker if marker else None
    keys, more = one_page(Cluster.everywhere.query(REALM, after, limit=limit + 1, page_size=limit + 1), limit)
    ids = [each.cluster_id for each in keys]
    records = {each.cluster_id: each for each in Cluster.batch_get(ids)} if ids else {}
    return [records[each] for each in ids if each in records], ids[-1] if more else None
