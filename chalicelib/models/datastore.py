"""Datastores: the versions on offer, each with its manager, image and packages."""

from uuid import NAMESPACE_URL, uuid5

from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.models.record import Record, table_name

SHELF = "datastores"  # the one partition: all versions are one query


class Datastore(Record):
    """One version of a datastore."""

    class Meta:
        table_name = table_name("datastores")

    shelf = UnicodeAttribute(hash_key=True, default=SHELF)
    version_id = UnicodeAttribute(range_key=True)
    datastore_id = UnicodeAttribute()
    datastore = UnicodeAttribute()  # "mysql"
    version = UnicodeAttribute()  # "10.11": Trove's name of it
    number = UnicodeAttribute(null=True)  # Trove's version_number, if that is another
    manager = UnicodeAttribute()  # a name of config.dtrove_datastore_managers, or a dotted path
    image = UnicodeAttribute()  # the provider's image id
    packages: ListAttribute[str] = ListAttribute(default=list)
    most_instances = NumberAttribute(
        null=True
    )  # of one cluster; 1 for what does not replicate; None: as many as allowed
    is_active = BooleanAttribute(default=True)
    is_default = BooleanAttribute(default=False)
    is_withdrawn = BooleanAttribute(default=False)  # kept for what runs it

    @property
    def name(self) -> str:
        """The display name, e.g. mysql-10.11."""
        return f"{self.datastore}-{self.version}"

    @classmethod
    def every(cls) -> list["Datastore"]:
        """Return every version there ever was, in one request."""
        return sorted(cls.query(SHELF), key=lambda each: (each.datastore, each.version))

    @classmethod
    def all(cls) -> list["Datastore"]:
        """Return every version that was not withdrawn, in one request."""
        return [each for each in cls.every() if not each.is_withdrawn]

    @classmethod
    def of_version(cls, version_id: str) -> "Datastore":
        """Return the version. Raises Datastore.DoesNotExist."""
        return cls.get(SHELF, version_id)


def datastore_id_of(datastore: str) -> str:
    """Return the id of a datastore: derived from its name, so the same in every region."""
    return str(uuid5(NAMESPACE_URL, f"dtrove:datastore:{datastore}"))


def version_id_of(datastore: str, version: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"dtrove:datastore:{datastore}:{version}"))
