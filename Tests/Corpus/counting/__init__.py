"""Compares what pgvigil finds in the corpus with what is known to be in it; shares no code with it."""
