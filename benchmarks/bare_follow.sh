# On a replica: follow the primary, and wait until it has all that the primary has. Usage: bash -s PRIMARY
set -euo pipefail
REDISCLI_AUTH=$(cat /root/files/password)
export REDISCLI_AUTH
cli=(redis-cli --user replication --no-auth-warning)
field() { tr -d '\r' | sed -n "s/^$1://p"; }

"${cli[@]}" REPLICAOF "$1" 6379
"${cli[@]}" CONFIG REWRITE
position=$("${cli[@]}" -h "$1" INFO replication | field master_repl_offset)
until
    status=$("${cli[@]}" INFO replication)
    [ "$(field master_link_status <<<"$status")" = up ] && [ "$(field slave_repl_offset <<<"$status")" -ge "$position" ]
do sleep 0.02; done
