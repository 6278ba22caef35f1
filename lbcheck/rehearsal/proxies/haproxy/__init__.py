"""HAProxy under rehearsal."""
