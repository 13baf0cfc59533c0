"""The server: composes the folders below into running processes. Nothing imports it."""
