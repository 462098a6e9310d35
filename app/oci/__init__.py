"""The OCI specifications as pure Python: no I/O, no framework."""
