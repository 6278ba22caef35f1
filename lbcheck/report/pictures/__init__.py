"""Pictures of a traffic run and of a diff: drawings, pages and tables that say the same thing to people.

`views`, `pairs` and `sources` digest a result (what is worst, what is alike, what is not known), `layout` places it on
a plane, and each format writes that down.
"""
