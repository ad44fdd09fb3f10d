"""Small trainings and sweeps on a disk that fails, forgets or is cut off."""
