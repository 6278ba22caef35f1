"""nginx under rehearsal."""
