"""From a config to a script: which stubs, which requests, which losses."""
