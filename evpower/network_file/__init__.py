"""The fleet file: how it is read, checked and applied.

The one way rows of the network are written, by an import or by an administrator.
"""
