"""Writes settings as TOML."""

from callcenter.runtime.toml_text import write

__all__ = ["write"]
