"""A center that is not there: a PBX in virtual time, seeded traffic, and phones of our own for the real one."""
