"""Callers who speak to a flow: from the engine's question to a recogniser and back."""
