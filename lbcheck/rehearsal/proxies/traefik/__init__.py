"""Traefik under rehearsal."""
