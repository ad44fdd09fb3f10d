"""Run directories, models, checkpoints and tables: every byte written to disk goes through here."""
