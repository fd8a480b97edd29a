"""Kinds, schema, selectors, quantities, patches and errors: values and pure functions."""
