"""Namespaces of one's own: users, network, mounts, processes. Nothing gets out, for there is no outside."""
