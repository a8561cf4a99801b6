"""Staged to golden: finds the records that are one customer; plain functions on Arrow tables."""

from onefold import postponed

# SciPy's matrices import all of NumPy, its compiler of Fortran included, which takes longer to
# load than all else of both and is never used.
postponed.load_when_used("numpy.f2py")
