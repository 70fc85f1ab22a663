#!/bin/sh
# Turns the fresh tree at $1 into an image: boots fast, starts nothing on its own, holds no identity.
set -eu
tree=$1

# An image has no identity: the provider writes these at birth.
rm -f "$tree"/etc/ssh/ssh_host_*_key "$tree"/etc/ssh/ssh_host_*_key.pub
: > "$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id"
echo localhost > "$tree/etc/hostname"

# Only the host key that was drawn for it, only public keys, and room for several connections at once.
cat > "$tree/etc/ssh/sshd_config.d/dtrove.conf" <<'CONFIG'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 64
MaxSessions 64
CONFIG
mkdir -m 700 -p "$tree/root/.ssh"

# Nobody is at the console, nothing is scheduled, and whoever runs the container owns its clock, seed, devices and network.
for unit in \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer xfs_scrub_all.timer systemd-tmpfiles-clean.timer \
    console-getty.service getty.target getty-pre.target systemd-ask-password-wall.path \
    systemd-ask-password-console.path systemd-logind.service systemd-user-sessions.service \
    systemd-networkd.service systemd-resolved.service systemd-timesyncd.service systemd-pstore.service \
    systemd-firstboot.service systemd-journal-catalog-update.service systemd-hwdb-update.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-update-done.service ldconfig.service \
    systemd-sysusers.service systemd-machine-id-commit.service systemd-boot-system-token.service \
    systemd-random-seed.service systemd-remount-fs.service systemd-tmpfiles-setup-dev.service \
    systemd-journal-flush.service systemd-repart.service systemd-binfmt.service systemd-modules-load.service \
    systemd-pcrphase.service systemd-pcrphase-sysinit.service kmod-static-nodes.service \
    proc-sys-fs-binfmt_misc.automount sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount cryptsetup.target integritysetup.target \
    veritysetup.target systemd-initctl.socket systemd-journald-audit.socket
do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
mkdir -p "$tree/etc/systemd/system-generators" "$tree/etc/tmpfiles.d"
for generator in \
    bless-boot cryptsetup debug getty gpt-auto hibernate-resume integritysetup rc-local run system-update veritysetup
do
    ln -sf /dev/null "$tree/etc/systemd/system-generators/systemd-$generator-generator"
done
# It forbids logins until systemd-user-sessions allows them.
ln -sf /dev/null "$tree/etc/tmpfiles.d/systemd-nologin.conf"
# sshd checks its configuration as it starts; no need to start it twice.
mkdir -p "$tree/etc/systemd/system/ssh.service.d"
printf '[Service]\nExecStartPre=\n' > "$tree/etc/systemd/system/ssh.service.d/dtrove.conf"

# Hours of logs of a throw-away server are no use; written at once they cost the boot.
mkdir -p "$tree/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\n' > "$tree/etc/systemd/journald.conf.d/dtrove.conf"

rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
