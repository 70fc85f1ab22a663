#!/bin/sh
# Installs the packages $3… once, in a layer of its own ($2) over the base tree ($1). Runs in mount and PID namespaces of
# its own, so that whatever ends it leaves no mount and no process.
set -eu
base=$1 layer=$2
shift 2
merged="$layer/merged"
mkdir -p "$layer/tree" "$layer/work" "$merged"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer/tree,workdir=$layer/work" "$merged"
mount -t proc proc "$merged/proc"
mount -t tmpfs tmpfs "$merged/dev"
for node in null zero full random urandom tty; do
    touch "$merged/dev/$node"
    mount --bind "/dev/$node" "$merged/dev/$node"
done
ln -s /proc/self/fd "$merged/dev/fd"
mkdir "$merged/dev/shm"
mount -t tmpfs tmpfs "$merged/dev/shm"
mount -t tmpfs tmpfs "$merged/run"
cp --remove-destination /etc/resolv.conf "$merged/etc/resolv.conf"

# A layer is installed, not running: the server that is born of it starts what it needs.
printf '#!/bin/sh\nexit 101\n' > "$merged/usr/sbin/policy-rc.d"
chmod 755 "$merged/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$merged" apt-get -q update
chroot "$merged" apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install "$@"
rm "$merged/usr/sbin/policy-rc.d"
chroot "$merged" systemctl --quiet disable mariadb.service postgresql.service redis-server.service

# The lists stay: installing what is installed then needs no update, and answers in a fraction of a second.
rm -f "$merged"/var/cache/apt/archives/*.deb
umount "$merged/dev/shm" "$merged/run" "$merged/proc"
umount --recursive "$merged/dev"
umount "$merged"
rm -rf "$layer/work" "$merged"
