"""callcenter: a telephony-first call center on Asterisk 22."""

__version__ = "0.1.0"
