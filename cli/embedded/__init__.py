"""PostgreSQL and Valkey out of Python wheels, as children of `roadstead up` and of the tests."""
