"""What haproxy refuses, by topic."""
