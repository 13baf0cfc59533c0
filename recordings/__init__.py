"""What is kept of a call: the bundle on disk, its sealing, repair and reading."""
