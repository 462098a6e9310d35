"""The description of the management API, made from the routes themselves."""
