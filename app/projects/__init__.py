"""Projects: the owners of repositories, public or private."""
