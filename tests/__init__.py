"""Proofs, laid out like what they prove."""
