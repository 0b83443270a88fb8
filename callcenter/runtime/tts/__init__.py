"""Text to speech: who speaks the prompts that nobody has recorded. One small protocol; each engine is a module."""
