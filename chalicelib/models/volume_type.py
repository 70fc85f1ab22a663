"""Volume types: a copy of the provider's list, kept and refreshed beside its flavors."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from chalicelib.models.flavor import Flavor
from chalicelib.models.record import Record

SHELF = "volume-types"  # a partition of its own in the flavors' table


class VolumeType(Record):
    class Meta:
        table_name = Flavor.Meta.table_name

    shelf = UnicodeAttribute(hash_key=True, default=SHELF)
    volume_type_id = UnicodeAttribute(range_key=True, attr_name="flavor_id")
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    is_public = BooleanAttribute(default=True)

    @classmethod
    def all(cls) -> list["VolumeType"]:
        """Return every type by name, in one request."""
        return sorted(cls.query(SHELF), key=lambda each: str(each.name))
