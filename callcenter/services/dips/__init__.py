"""Data dips: who asks, how long, and what is answered when nobody is there."""
