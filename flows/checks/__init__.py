"""What `flows.checker` looks at, one concern in each module."""
