"""The real proxy runs the config, in a world of its own, under load; its counts are held against the prediction."""
