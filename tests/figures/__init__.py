"""Figures of the course as the tests draw them, a module a lesson."""
