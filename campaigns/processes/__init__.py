"""The program as a process: how it is started, what surrounds it, what is left of it."""
