"""What people read in their own language: one TOML file a language and a topic, all of them with the same keys.

Decides which language a person reads, and the sentence of a key; English stands in for what a language has not.
"""
