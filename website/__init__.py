"""The website: lessons before anyone answers, the glossary, docs by reader, and the API."""
