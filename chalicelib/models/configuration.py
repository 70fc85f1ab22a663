"""Configurations: named groups of parameters, of one datastore version, that instances are attached to."""

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute, UnicodeSetAttribute, UTCDateTimeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.models.page import one_page
from chalicelib.models.record import ProjectRecord, now, table_name


class ConfigurationsByProject(GlobalSecondaryIndex["Configuration"]):
    class Meta:
        index_name = "by_project"
        projection = AllProjection()

    project_id = UnicodeAttribute(hash_key=True)
    configuration_id = UnicodeAttribute(range_key=True)


class Configuration(ProjectRecord):
    class Meta:
        table_name = table_name("configurations")

    configuration_id = UnicodeAttribute(hash_key=True)
    by_project = ConfigurationsByProject()
    name = UnicodeAttribute()
    description = UnicodeAttribute(null=True)
    datastore = UnicodeAttribute()
    datastore_version = UnicodeAttribute()
    datastore_version_id = UnicodeAttribute()
    values = JSONAttribute()  # by the parameters' names, each of its parameter's type
    brought_by: UnicodeSetAttribute = UnicodeSetAttribute(null=True)  # jobs that are giving it to instances now
    created_at = UTCDateTimeAttribute(default=now)
    updated_at = UTCDateTimeAttribute(default=now)


def page_of_configurations(project_id: str, limit: int, marker: str | None) -> tuple[list[Configuration], str | None]:
    """Return configurations by ascending id after `marker`, and the marker of the next page if there is one."""
    after: Any = ConfigurationsByProject.configuration_id > marker if marker else None
    found = Configuration.by_project.query(project_id, after, limit=limit + 1, page_size=limit + 1)
    configurations, more = one_page(found, limit)
    return configurations, configurations[-1].configuration_id if more else None
