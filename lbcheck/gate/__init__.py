"""One verdict from all that lbcheck knows of a config: policy, stages, go or no-go."""
