"""Envoy under rehearsal."""
