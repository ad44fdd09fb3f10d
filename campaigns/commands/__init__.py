"""Random command lines, what must come of each, and the folder that they are let loose in."""
