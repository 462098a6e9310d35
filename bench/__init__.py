"""A reproducible comparison of Roadstead with other registries: `python -m bench`."""
