"""Names of clusters, in Designate: one record set for each, which says where the cluster's address is now.

Designate has a name and type in a zone but once: no two tries make two.
"""

from collections.abc import Iterator
from typing import Any

from openstack.dns.v2.recordset import Recordset
from openstack.resource import Body

from chalicelib.errors import ProviderError, Transient
from chalicelib.providers.openstack.cloud import Cloud
from chalicelib.providers.openstack.labels import WORD, Label
from chalicelib.providers.openstack.lookups import once

SERVICE = "dns"  # in the catalog
KIND = "A"
TTL_SECONDS = 60  # for which a caller may go on with an address that is not the cluster's any more
LEAVING = "DELETE"


class RecordSet(Recordset):
    created_at = Body("created_at")  # openstacksdk looks for "create_at"


class Names:
    """Those of one zone; none if the cloud has no DNS, or we were given no zone."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._zone = cloud, cloud.settings.dtrove_openstack_dns_zone
        self.are_there = self._zone is not None and cloud.connection.endpoint_for(SERVICE) is not None

    def lead(self, cluster_id: str, address: str) -> str | None:
        """Have the cluster's name lead to the address, and return it; None if there are none."""
        if not self.are_there:
            return None
        name, records, found = self._name_of(cluster_id), [address], self._found(cluster_id)
        if found is None:
            label = Label.of_cluster(cluster_id)
            told = {"name": name, "type": KIND, "description": label.text, "records": records, "ttl": TTL_SECONDS}
            self._dns.create_recordset(self._zone_id, **told)
        elif not _is_of(found, cluster_id):
            raise ProviderError(f"The name {name} is somebody else's.")
        elif found.action == LEAVING:
            raise Transient(f"The name {name} is still being deleted.")
        elif found.records != records:
            self._dns.update_recordset(found, records=records)
        return name

    def drop(self, cluster_id: str) -> None:
        if self.are_there and (found := self._found(cluster_id)) and _is_of(found, cluster_id):
            self.remove(str(found.id))

    def remove(self, recordset_id: str) -> None:
        """Ask for its end. Already gone is success."""
        self._dns.delete_recordset(RecordSet(id=recordset_id, zone_id=self._zone_id))

    def all(self) -> Iterator[Any]:
        """Yield what may be ours, but for what is on its way out."""
        if self.are_there:
            found = RecordSet.list(self._dns, zone_id=self._zone_id, type=KIND, description=f"{WORD} *")
            yield from (each for each in found if each.action != LEAVING)

    def _found(self, cluster_id: str) -> Any | None:
        """Return the name's record set, whoever made it."""
        named = self._dns.recordsets(self._zone_id, name=self._name_of(cluster_id), type=KIND)
        return next(iter(named), None)

    def _name_of(self, cluster_id: str) -> str:
        return f"{cluster_id}.{self._zone}"

    @property
    def _dns(self) -> Any:
        return self._cloud.connection.dns

    @property
    def _zone_id(self) -> str:
        return once(self._cloud, "DNS zone", self._look_for_zone)

    def _look_for_zone(self) -> str:
        found = next(iter(self._dns.zones(name=self._zone)), None)
        if found is None:
            raise ProviderError(f"There is no DNS zone {self._zone}.")
        return str(found.id)


def _is_of(recordset: Any, cluster_id: str) -> bool:
    return Label.read(recordset.description) == Label.of_cluster(cluster_id)
