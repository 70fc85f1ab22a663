"""How our own sessions are opened: what a customer sets for every session does not apply to them.

Nothing that a customer's database defines is found by an unqualified name, and no statement of ours is cut short.
"""

from typing import Final, LiteralString

PATIENT: Final[LiteralString] = (  # of replicas' sessions too: those of copies and of streams are no exception
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
)
SESSION: Final[LiteralString] = (
    f"{PATIENT} -c default_transaction_read_only=off -c search_path=pg_catalog -c standard_conforming_strings=on"
)
AWAIT: Final[LiteralString] = "/opt/dtrove/service await </dev/null && "
AS_ADMINISTRATOR: Final[LiteralString] = f"runuser -u postgres -- env PGOPTIONS='{SESSION}' psql --no-psqlrc --quiet"
ON_POSTGRES: Final[LiteralString] = "--set=ON_ERROR_STOP=1 --dbname=postgres"
BARE: Final[LiteralString] = "--tuples-only --no-align"  # of what is listed: the values alone
