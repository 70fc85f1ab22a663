"""Flavors: a copy of the provider's list, refreshed by schedule, so that the API need not ask the cloud."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.models.record import Record, table_name

SHELF = "flavors"  # the one partition: all flavors are one query


class Flavor(Record):
    class Meta:
        table_name = table_name("flavors")

    shelf = UnicodeAttribute(hash_key=True, default=SHELF)
    flavor_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    memory_mib = NumberAttribute()
    vcpus = NumberAttribute()
    disk_gib = NumberAttribute(default=0)

    @classmethod
    def all(cls) -> list["Flavor"]:
        """Return every flavor, smallest first, in one request."""
        return sorted(cls.query(SHELF), key=lambda each: (each.memory_mib, each.flavor_id))
