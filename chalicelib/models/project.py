"""Projects: how much of its quota each one uses."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.models.record import Record, table_name


class Project(Record):
    """Counted in the transactions that add and forget instances and backups, so it cannot drift from the records."""

    class Meta:
        table_name = table_name("projects")

    project_id = UnicodeAttribute(hash_key=True)
    instances = NumberAttribute(default=0)
    volumes_gib = NumberAttribute(default=0)
    backups = NumberAttribute(default=0)
    most_instances = NumberAttribute(null=True)  # None: what the settings say; -1: no limit
    most_volumes_gib = NumberAttribute(null=True)
    most_backups = NumberAttribute(null=True)
