"""MySQL: MariaDB where the packages are MariaDB's, Oracle's MySQL otherwise."""

from chalicelib.datastores.mysql.manager import MySQLManager

__all__ = ["MySQLManager"]
