"""`keyturn demo`: the main job, played by real processes on the embedded default."""
