"""Blobs: uploads, downloads, and in which repositories they are visible."""
