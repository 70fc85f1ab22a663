#!/bin/sh
# Makes this guest a compute host with a guest of its own, called $1: our files under a layer of its own, processes,
# network and systemd of its own. It has the address $3, we have $2, and its private host key comes on standard input.
# What leads into it is `enter`.
set -eu
name=$1 ours=$2 theirs=$3
place=/nested/$name root=/nested/$name/root
mkdir -p "$place"
mount -t tmpfs nested "$place"
mkdir "$place/upper" "$place/work" "$root"
mount -t overlay nested -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$root"
cat >"$root/etc/ssh/ssh_host_ed25519_key"
echo "$name" >"$root/etc/hostname"
: >"$root/etc/machine-id"

cat >/nested/boot <<'BOOT'
set -eu
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for node in null zero full random urandom tty; do
    touch "dev/$node"
    mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
pivot_root . mnt
umount -l /mnt
exec env -i container=nested PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
BOOT

cat >/usr/local/sbin/enter <<'ENTER'
#!/bin/sh
# enter GUEST COMMAND…: runs the command in the guest, as `vzctl exec` does.
running=$(systemctl show --property=MainPID --value "nested-$1")
[ "$running" -gt 0 ] && leader=$(pgrep -P "$running") || { echo "Guest $1 does not run." >&2; exit 1; }
shift
exec nsenter --target "$leader" --all "$@"
ENTER
chmod 755 /usr/local/sbin/enter

systemd-run --quiet --unit="nested-$name" --property=Delegate=yes \
    unshare --mount --propagation private --uts --ipc --net --pid --cgroup --fork --kill-child sh /nested/boot "$root"
until leader=$(pgrep -P "$(systemctl show --property=MainPID --value "nested-$name")"); do sleep 0.02; done
ip link show nested >/dev/null 2>&1 || ip link add nested type bridge
ip address replace "$ours/24" dev nested
ip link set nested up
ip link add "ve-$name" type veth peer name host0 netns "$leader"
ip link set "ve-$name" master nested up
nsenter --target "$leader" --net ip -batch - <<ADDRESS
link set lo up
address add $theirs/24 dev host0
link set host0 up
ADDRESS
