#!/bin/sh
# Keeps one guest running until it powers off, whatever becomes of nova-compute.
# Usage: run-guest.sh FOLDER NAME HOSTNAME UUID CGROUP.PROCS…
folder=$1 name=$2 hostname=$3 uuid=$4
shift 4
for procs; do echo $$ > "$procs" || exit 1; done  # without its group a guest would have no limits
while :; do
    set -- "--bind=$folder/by-id:/dev/disk/by-id"
    while read -r device loop _; do set -- "$@" "--bind=$loop:$device"; done < "$folder/volumes"
    # Not --network-namespace-path: the guest would see the host's interfaces in /sys.
    nsenter "--net=/run/netns/$name" systemd-nspawn --boot --quiet --settings=no --register=no --keep-unit \
        --machine="$name" --hostname="$hostname" --uuid="$uuid" --directory="$folder/root" \
        --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off --link-journal=no --console=read-only "$@" \
        systemd.show_status=yes systemd.journald.forward_to_console=yes </dev/null >>"$folder/console.log" 2>&1
    [ $? = 133 ] || exit 0  # 133: the guest rebooted
    # As after any boot, it has the addresses of its ports and no others.
    for link in $(ip -n "$name" -o link | grep -o 'eth[0-9]*'); do ip -n "$name" addr flush dev "$link"; done
    sh "$folder/addresses.sh"
done
