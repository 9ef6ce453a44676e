"""The reference of the documentation, made from the code: pure functions that return pages and pictures."""
