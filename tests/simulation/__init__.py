"""The whole service in one process: state machines interpreted, tables in moto, cloud in a dict, guests simulated."""
