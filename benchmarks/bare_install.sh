# On a guest: the volume, the package, the configuration, and Redis running. Usage: bash -s PACKAGE
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
mkfs.xfs -q -K /dev/vdb
mkdir -p /var/lib/redis
echo '/dev/vdb /var/lib/redis xfs defaults 0 0' >>/etc/fstab
mount /dev/vdb /var/lib/redis
if ! dpkg-query --show "$1" >/dev/null 2>&1; then
    # Not started before it is configured.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    apt-get -q update
    apt-get -q -y --no-install-recommends install "$1"
    rm /usr/sbin/policy-rc.d
fi
chown redis: /var/lib/redis
install --directory --owner=redis --group=redis --mode=750 "$(dirname "$(sed -n 's/^logfile //p' /root/files/redis.conf)")"
install --owner=redis --group=redis --mode=640 /root/files/redis.conf /root/files/users.acl /etc/redis/
install -D --mode=644 /root/files/parameters.conf /etc/dtrove/parameters.conf
ln -sf /lib/systemd/system/redis-server.service /etc/systemd/system/multi-user.target.wants/
systemctl --no-block start redis-server
REDISCLI_AUTH=$(cat /root/files/password)
export REDISCLI_AUTH
until [ "$(redis-cli --user replication --no-auth-warning PING 2>/dev/null)" = PONG ]; do sleep 0.02; done
