"""Looking for projects and repositories by part of a name, and counting them."""
