"""People who sign in: who they are, how they prove it, and for how long it counts."""
