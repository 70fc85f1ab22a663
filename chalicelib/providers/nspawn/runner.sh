#!/bin/sh
# Keeps one guest running: in a session and control groups of its own, whatever becomes of who started it.
# Usage: runner.sh FOLDER MACHINE CGROUP.PROCS…   The caller's lock on FOLDER/running is inherited, and held to the end.
folder=$1 machine=$2
shift 2
for procs; do echo $$ > "$procs" || exit 1; done  # without its group a guest would have no limits
: > "$folder/launched"
while :; do
    set --
    if [ -s "$folder/device" ]; then
        read -r device < "$folder/device"
        set -- "--bind=$device:/dev/vdb"
    fi
    systemd-nspawn --boot --quiet --settings=no --register=no --keep-unit --machine="$machine" --directory="$folder/root" \
        --network-namespace-path="/run/netns/$machine" --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off \
        --link-journal=no --console=read-only "$@"
    status=$?
    echo $status > "$folder/.status" && mv "$folder/.status" "$folder/status"
    # 133: the guest rebooted.
    [ $status = 133 ] && [ ! -e "$folder/off" ] || exit 0
done
