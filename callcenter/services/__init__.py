"""Where asyncio lives. Speaks to the outside only through ``ports``."""
