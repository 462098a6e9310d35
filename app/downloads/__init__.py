"""Links to blobs that need no credentials: asked for, signed, followed."""
