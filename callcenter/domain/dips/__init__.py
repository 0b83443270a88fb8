"""Data dips: questions that a flow asks other systems. The rules of it, pure: what is asked, what an answer may be, when to ask at all."""
