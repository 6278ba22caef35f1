"""Traefik's rule language: that of routers in files and labels, and of IngressRoutes."""
