"""What was counted, held against what was predicted."""
