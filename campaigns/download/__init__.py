"""Servers that fail, and the program when it expects a small archive of them."""
