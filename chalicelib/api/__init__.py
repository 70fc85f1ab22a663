"""The REST API: Trove's v1.0. HTTP in, JSON out; never a cloud, never a guest."""
