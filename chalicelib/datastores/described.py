"""Described: what is known of a datastore version without asking a guest, and how it is rendered."""

import inspect
from abc import ABC
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final

from chalicelib.datastores import templates
from chalicelib.datastores.parameters import Parameter, parameters_for
from chalicelib.models.datastore import Datastore

OPT: Final = "/opt/dtrove"  # our scripts on a guest
SCRIPT_MODE: Final = 0o700
PUBLIC_MODE: Final = 0o644


class Described(ABC):
    service_name: str  # of systemd, e.g. "mariadb"
    service_user: ClassVar[str]  # who owns the data
    port: ClassVar[int]
    root_name: ClassVar[str]  # the account that `Passwords.root` opens, from anywhere
    data_path: ClassVar[str]  # the folder that the volume is mounted on; no dash in it
    log_noise: ClassVar[str] = "^$"  # lines of its log that tell of whoever asks it, and never why it does not start
    pid_path: str = "/dev/null"  # a file whose first line is the service's process, where systemd does not know it

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore

    @property
    def name(self) -> str:
        """The class's name in lower case without Manager: MySQLManager is "mysql"."""
        return type(self).__name__.removesuffix("Manager").lower()

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        return parameters_for(self.datastore.manager, self.datastore.version)

    @cached_property
    def folder(self) -> Path:
        return Path(inspect.getfile(type(self))).parent

    def render(self, template: str, **values: object) -> str:
        """Render a template, which sees the manager, its packages and the values."""
        packages = list(self.datastore.packages)
        version = self.datastore.version
        return templates.render(self.folder, version, template, manager=self, packages=packages, **values)

    @property
    def whole_path(self) -> str:
        return f"{self.data_path}/.dtrove-whole"
