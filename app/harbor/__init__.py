"""Harbor's management API as pure Python, no I/O: its errors and its query language."""
