"""What MariaDB and Oracle's MySQL call and do differently; the rest of that is in their templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.datastores.mysql.caching_sha2 import caching_sha2_hash
from chalicelib.datastores.mysql.native_password import native_password_hash


@dataclass(frozen=True)
class Distribution:
    templates: str  # the templates that differ are in the folder of this name
    service_name: str
    server: str
    client: str
    config_path: str  # read after the package's own files
    logs_path: str  # which logs are switched on: read after that, since its name sorts behind it
    parameters_path: str  # read after that
    copies_over_ssh: bool  # else the server itself sends its data to a replica
    has_backups: bool  # Oracle's own copier is not among its packages
    identified: Callable[[str], str]  # what opens an account with this password, of which the server is told a hash
    sql_mode: str  # for changing accounts: a GRANT makes no user
    root_lacks: str | None  # the privilege that the customer's root may not hold
    user_characters: int


MARIADB = Distribution(
    templates="mariadb",
    service_name="mariadb",
    server="mariadbd",
    client="mariadb",
    config_path="/etc/mysql/mariadb.conf.d/99-dtrove.cnf",
    logs_path="/etc/mysql/mariadb.conf.d/zzy-dtrove-logs.cnf",
    parameters_path="/etc/mysql/mariadb.conf.d/zzz-dtrove-parameters.cnf",
    copies_over_ssh=True,
    has_backups=True,
    identified=lambda password: f"IDENTIFIED VIA mysql_native_password USING '{native_password_hash(password)}'",
    sql_mode="STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER",
    root_lacks="READ_ONLY ADMIN",
    user_characters=128,
)
ORACLE = Distribution(
    templates="oracle",
    service_name="mysql",
    server="mysqld",
    client="mysql",
    config_path="/etc/mysql/mysql.conf.d/zz-dtrove.cnf",
    logs_path="/etc/mysql/mysql.conf.d/zzy-dtrove-logs.cnf",
    parameters_path="/etc/mysql/mysql.conf.d/zzz-dtrove-parameters.cnf",
    copies_over_ssh=False,
    has_backups=False,
    identified=lambda password: (
        f"IDENTIFIED WITH caching_sha2_password AS 0x{caching_sha2_hash(password).encode().hex()}"
    ),
    sql_mode="STRICT_TRANS_TABLES",
    root_lacks=None,
    user_characters=32,
)


def distribution_of(packages: Sequence[str]) -> Distribution:
    """Return Oracle's if a package is called as its are: mysql-server, mysql-community-server, mysql-server-8.0."""
    return ORACLE if any(each.startswith("mysql-") for each in packages) else MARIADB
