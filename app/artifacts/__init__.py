"""Artifacts: what the management API shows of manifests, with tags, labels and accessories."""
