"""YAML of every kind, and a process that reads it as configurations."""
