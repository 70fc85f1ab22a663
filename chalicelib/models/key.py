"""Keys: one SSH key pair per cluster, so no key opens more than one customer's guests."""

from pynamodb.attributes import UnicodeAttribute, UTCDateTimeAttribute

from chalicelib.models.record import Record, now, table_name
from chalicelib.models.sealed import Sealed


class Key(Record):
    class Meta:
        table_name = table_name("keys")

    key_id = UnicodeAttribute(hash_key=True)
    cluster_id = UnicodeAttribute()
    name = UnicodeAttribute()
    public = UnicodeAttribute()  # OpenSSH line
    private = Sealed()  # {"private": OpenSSH PEM, "passphrase": text or ""}
    created_at = UTCDateTimeAttribute(default=now)
