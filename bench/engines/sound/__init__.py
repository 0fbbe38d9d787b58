"""Models of music, sound and speech: how each is loaded, and how its clips are checked and saved."""
