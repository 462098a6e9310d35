"""`roadstead storage`: whether a storage does what it has to, and moving to another one."""
