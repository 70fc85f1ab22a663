"""All our tables."""

from pynamodb.models import Model

from chalicelib.models.answer import Answer
from chalicelib.models.backup import Backup
from chalicelib.models.cluster import Cluster
from chalicelib.models.configuration import Configuration
from chalicelib.models.datastore import Datastore
from chalicelib.models.flavor import Flavor
from chalicelib.models.instance import Instance
from chalicelib.models.job import Job
from chalicelib.models.key import Key
from chalicelib.models.project import Project
from chalicelib.models.rate import Rate
from chalicelib.models.schedule import Schedule

MODELS: tuple[type[Model], ...] = (
    *(Cluster, Instance, Job, Backup, Schedule, Configuration, Key, Project, Datastore, Flavor),
    *(Answer, Rate),
)
