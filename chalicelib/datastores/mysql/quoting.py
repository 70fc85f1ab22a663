"""How names and texts enter SQL: quoted here and nowhere else.

A whole statement travels as hexadecimal digits and is put together by the server. So neither the client, which reads
its input line by line and looks for `delimiter`, nor the session's modes can read anything into it.
"""

from typing import Final

# A session's own: what follows reaches neither the general log nor, as no statement takes a year, the slow one.
UNLOGGED: Final = "SET SESSION sql_log_off = ON, long_query_time = 31536000;\n"


def identifier(name: str) -> str:
    """Return a name as SQL has it: of a database, or either half of `user@host`."""
    return f"`{name.replace('`', '``')}`"


def literal(text: str) -> str:
    return f"_utf8mb4 X'{text.encode().hex()}'"


def pattern(database: str) -> str:
    """Return the database's name as grants have it, where _ and % stand for other characters unless escaped."""
    return "".join(f"\\{each}" if each in "\\_%" else each for each in database)


def database_of(pattern: str) -> str | None:
    """Return the one database that the pattern stands for, or None if it may stand for several."""
    name, escaped = "", False
    for each in pattern:
        if not escaped and each in "_%":
            return None
        escaped = not escaped and each == "\\"
        name += "" if escaped else each
    return name


def exists(table: str, **columns: str) -> str:
    """Return the condition that the table has a row with these values."""
    same = " AND ".join(f"{column} = {literal(value)}" for column, value in columns.items())
    return f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608  table and columns are ours


def prepared(statement: str, only_if: str = "TRUE") -> str:
    """Return lines that execute the statement if the condition holds then."""
    return (
        f"SET @statement = IF({only_if}, {literal(statement)}, 'DO 0');\n"
        "PREPARE statement FROM @statement;\n"
        "EXECUTE statement;\n"
    )
