"""How names and texts enter SQL and psql: as digits, quoted here and nowhere else.

Where a name is needed, the server itself makes an identifier of the text: `format('… %I …', text) \\gexec`. So neither
psql, which reads backslashes and `:names`, nor the client's encoding can read anything into it.
"""


def literal(text: str | None) -> str:
    """Return an expression of this text; NULL for None."""
    return "NULL" if text is None else f"convert_from(decode('{text.encode().hex()}', 'hex'), 'UTF8')"


def uri_of(database: str) -> str:
    """Return what `\\connect` takes for a database of the same server. Letters too: psql folds their case."""
    return "postgresql:///" + "".join(f"%{each:02x}" for each in database.encode())
