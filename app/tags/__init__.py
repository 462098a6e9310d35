"""Tags: names that point to manifests."""
