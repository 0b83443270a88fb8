"""Recognisers: who understands what callers say."""
