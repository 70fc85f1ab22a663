"""Servers on this host: systemd-nspawn machines with an address, an init and an SSH server of their own."""
