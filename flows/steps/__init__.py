"""The vocabulary: one frozen model for each type of step, its keys, and where it may lead. No behaviour."""
