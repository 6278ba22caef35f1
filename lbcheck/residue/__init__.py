"""What two versions of a config say differently without any of it reaching the model: changes that nobody understood.

parts.py       a text as a tree of parts, whatever its format; read.py makes it, write.py makes text of it again
alignment.py   which part of the new tree is which of the old one; differences.py: where the two differ
harmless.py    the few fields of each dialect that are known not to decide where requests go
signature.py   what a config means: its model without places
judge.py       takes differences back one kind at a time, and asks the readers whether the config means something else

The readers themselves are the judge, so no table of what is modelled has to be kept.
"""
