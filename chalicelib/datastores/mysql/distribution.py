"""What MariaDB and Oracle's MySQL call and do differently; the rest of that is in their templates."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Distribution:
    templates: str  # the templates that differ are in the folder of this name
    service_name: str
    server: str
    client: str
    config_path: str  # read after the package's own files
    parameters_path: str  # read after that: its name sorts behind it
    copies_over_ssh: bool  # else the server itself sends its data to a replica


MARIADB = Distribution(
    templates="mariadb",
    service_name="mariadb",
    server="mariadbd",
    client="mariadb",
    config_path="/etc/mysql/mariadb.conf.d/99-dtrove.cnf",
    parameters_path="/etc/mysql/mariadb.conf.d/zzz-dtrove-parameters.cnf",
    copies_over_ssh=True,
)
ORACLE = Distribution(
    templates="oracle",
    service_name="mysql",
    server="mysqld",
    client="mysql",
    config_path="/etc/mysql/mysql.conf.d/zz-dtrove.cnf",
    parameters_path="/etc/mysql/mysql.conf.d/zzz-dtrove-parameters.cnf",
    copies_over_ssh=False,
)


def distribution_of(packages: Sequence[str]) -> Distribution:
    """Return Oracle's if a package is called as its are: mysql-server, mysql-community-server, mysql-server-8.0."""
    return ORACLE if any(each.startswith("mysql-") for each in packages) else MARIADB
