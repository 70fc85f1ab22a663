"""What OpenStack needs of a host: Nova's servers are nspawn guests, Neutron's rules nft's, Cinder's volumes files."""
