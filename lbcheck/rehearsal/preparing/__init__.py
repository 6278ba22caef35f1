"""A config made ready for the sandbox: what is altered in it, and what of its server is made up."""
