#!/bin/sh
# Makes an image for a cloud: the trees $1 (as overlay's lowerdir), with cloud-init and the packages $3…, as $2/image.tar.zst.
# Runs in mount and PID namespaces of its own, so that whatever ends it leaves no mount and no process.
set -eu
lower=$1 layer=$2
shift 2
merged="$layer/merged"
mkdir -p "$layer/upper" "$layer/work" "$merged"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$layer/upper,workdir=$layer/work" "$merged"
mount -t proc proc "$merged/proc"
mount --rbind /dev "$merged/dev"
cp --remove-destination /etc/resolv.conf "$merged/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$merged/usr/sbin/policy-rc.d"
chmod 755 "$merged/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$merged" apt-get -q update
chroot "$merged" apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io install "$@"
umount --recursive --lazy "$merged/dev" "$merged/proc"
rm -f "$merged/usr/sbin/policy-rc.d" "$merged"/var/cache/apt/archives/*.deb "$merged/etc/resolv.conf"
rm -f "$merged"/etc/ssh/ssh_host_*_key "$merged"/etc/ssh/ssh_host_*_key.pub
: > "$merged/etc/machine-id"

# What a server is told comes by its config drive; its addresses are set from outside.
cat > "$merged/etc/cloud/cloud.cfg.d/99-dtrove.cfg" <<'CONFIG'
datasource_list: [ConfigDrive]
network: {config: disabled}
disable_root: false
ssh_genkeytypes: [ed25519]
apt_preserve_sources_list: true
locale: false
manage_etc_hosts: false
CONFIG

tar -C "$merged" --numeric-owner --xattrs --xattrs-include='*' -c . | zstd -q -1 -T0 -o "$layer/image.tar.zst"
umount "$merged"
rm -rf "$layer/upper" "$layer/work" "$merged"
