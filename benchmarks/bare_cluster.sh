#!/bin/bash
# A Redis cluster by script: what ours is measured against. No control plane, no records, no retries.
# Usage: bare_cluster.sh SIZE   in a folder with the rendered files; the rest comes in the environment.
set -euo pipefail
size=$1 here=$PWD
ssh=(ssh -q -i "$here/key" -o UserKnownHostsFile="$here/known_hosts" -o StrictHostKeyChecking=yes -o ConnectTimeout=2
    -o ControlMaster=auto -o ControlPersist=30 -o ControlPath="$here/%h" -l root)

address() { echo "$NETWORK.$((200 + $1))"; }

# The flavor's limits, in whichever control groups this host has.
limit() {
    local group=$1 root=/sys/fs/cgroup
    if [ -e $root/cgroup.controllers ]; then
        mkdir -p "$root/$group"
        echo "$MEMORY_BYTES" >"$root/$group/memory.max"
        echo "100000 100000" >"$root/$group/cpu.max"
        echo $BASHPID >"$root/$group/cgroup.procs"
    else
        mkdir -p "$root"/{memory,cpu,pids,systemd}/"$group"
        echo "$MEMORY_BYTES" >"$root/memory/$group/memory.limit_in_bytes"
        echo 100000 >"$root/cpu/$group/cpu.cfs_quota_us"
        for each in memory cpu pids systemd; do echo $BASHPID >"$root/$each/$group/cgroup.procs"; done
    fi
}

build() {
    local name=$PREFIX-bare$1 veth=${VETH}bare$1 folder=$GUESTS/bare$1 address root
    address=$(address "$1") root=$folder/root
    mkdir -p "$folder"/{upper,work,root}
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$folder/host_key"
    mount -t overlay "$name" -o "lowerdir=$LAYERS,upperdir=$folder/upper,workdir=$folder/work" "$root"
    echo "$name" >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" >"$root/etc/hosts"
    rm -f "$root/etc/resolv.conf" "$root/etc/machine-id"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    md5sum <<<"$name" | cut -c1-32 >"$root/etc/machine-id"
    cp "$folder/host_key" "$root/etc/ssh/ssh_host_ed25519_key"
    mkdir -p -m 700 "$root/root/.ssh"
    install -m 600 key.pub "$root/root/.ssh/authorized_keys"
    echo "$address $(cut -d' ' -f1,2 "$folder/host_key.pub")" >>known_hosts

    ip netns add "$name"
    ip link add "$veth" type veth peer name eth0 netns "$name"
    ip link set "$veth" master "$BRIDGE" up
    ip -n "$name" -batch - <<END
link set lo up
link set eth0 up
addr add $address/24 dev eth0
route add default via $NETWORK.1
END

    truncate -s "$VOLUME_GIB"G "$folder/disk"
    device=$(losetup --find --show "$folder/disk")
    (
        limit "$PREFIX/$name"
        exec setsid systemd-nspawn --boot --quiet --settings=no --register=no --keep-unit --machine="$name" \
            --directory="$root" --network-namespace-path="/run/netns/$name" --capability=CAP_NET_ADMIN \
            --resolv-conf=off --timezone=off --link-journal=no --console=read-only --bind="$device:/dev/vdb"
    ) </dev/null >"$folder/console.log" 2>&1 &
}

install_redis() {
    until "${ssh[@]}" "$(address "$1")" true 2>/dev/null; do sleep 0.02; done
    tar -C "$here/files" -c . | "${ssh[@]}" "$(address "$1")" "mkdir -p /root/files && tar -x -C /root/files"
    "${ssh[@]}" "$(address "$1")" "bash -s $PACKAGE" <"$GUEST_SCRIPT"
}

follow() {
    "${ssh[@]}" "$(address "$1")" "bash -s $(address 0)" <"$FOLLOW_SCRIPT"
}

each() {
    local work=$1 pids=()
    shift
    for index; do
        "$work" "$index" >"$here/$work$index.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}

each_whole() { build "$1" && install_redis "$1"; }

ssh-keygen -q -t ed25519 -N '' -C '' -f key
# shellcheck disable=SC2046
each each_whole $(seq 0 $((size - 1)))
# shellcheck disable=SC2046
[ "$size" -eq 1 ] || each follow $(seq 1 $((size - 1)))
