"""What a change moves: pools and servers paired, shares before and after, keys that change servers."""
