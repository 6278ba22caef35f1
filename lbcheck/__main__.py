"""`python -m lbcheck`."""

from lbcheck.cli import main

main()
