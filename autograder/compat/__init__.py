"""Members of other libraries that are relied on although they are not public, a module per library.

Each module lists its members and checks them when it is imported: a release that removes or changes
one fails with one line before anything is graded. docs/upgrading.md says how to raise a version.
"""
