"""Writes: from a request body to one etcd transaction that compares revisions.

`bodies` decodes, `changes`, `patching` and `applying` make the new object of the old one, `strategy` holds what each
kind lets a writer change, `writes` asks admission, allocates and commits; `deletion` knows finalizers and grace.
"""
