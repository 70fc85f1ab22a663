"""What MariaDB and Oracle's MySQL call the same things."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Distribution:
    templates: str  # the templates that differ are in the folder of this name
    service_name: str
    client: str
    config_path: str  # read after the package's own files


MARIADB = Distribution(
    templates="mariadb",
    service_name="mariadb",
    client="mariadb",
    config_path="/etc/mysql/mariadb.conf.d/99-dtrove.cnf",
)
ORACLE = Distribution(
    templates="oracle",
    service_name="mysql",
    client="mysql",
    config_path="/etc/mysql/mysql.conf.d/99-dtrove.cnf",
)


def distribution_of(packages: Sequence[str]) -> Distribution:
    return MARIADB if any(each.startswith("mariadb") for each in packages) else ORACLE
