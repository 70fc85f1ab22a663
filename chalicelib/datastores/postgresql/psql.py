"""How our own sessions are opened: what a customer sets for every session does not apply to them.

Nothing that a customer's database defines is found by an unqualified name, and no statement of ours is cut short. None
is logged, whatever the server is told to log, also none that fails: there may be a verifier in it.
"""

from typing import Final, LiteralString

PATIENT: Final[LiteralString] = (  # of replicas' sessions too: those of copies and of streams are no exception
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
)
UNLOGGED: Final[LiteralString] = (
    "-c log_statement=none -c log_min_error_statement=panic -c log_duration=off"
    " -c log_min_duration_statement=-1 -c log_min_duration_sample=-1 -c log_transaction_sample_rate=0"
    " -c debug_print_parse=off -c debug_print_rewritten=off -c debug_print_plan=off"
)
SESSION: Final[LiteralString] = (
    f"{PATIENT} -c default_transaction_read_only=off -c search_path=pg_catalog -c standard_conforming_strings=on"
    f" {UNLOGGED}"
)
AWAIT: Final[LiteralString] = "/opt/dtrove/service await </dev/null && "
AS_ADMINISTRATOR: Final[LiteralString] = f"runuser -u postgres -- env PGOPTIONS='{SESSION}' psql --no-psqlrc --quiet"
ON_POSTGRES: Final[LiteralString] = "--set=ON_ERROR_STOP=1 --dbname=postgres"
BARE: Final[LiteralString] = "--tuples-only --no-align"  # of what is listed: the values alone
