"""Speaking: text to prompt files, one adapter per synthesiser, a cache on disk."""
