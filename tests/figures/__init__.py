"""Figures of the course as the tests draw them, one module per lesson."""
