"""What is played in the sandbox, and who plays it: the proxy, its stubs, the load, a loss, a reload."""
