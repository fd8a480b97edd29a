"""Reads: the cache that etcd's watch fills, and the gets, lists and watches that are answered from it.

`follower` fills `watchcache`; `reads` waits until it is fresh enough for what was asked; `watches` and
`watchstreams` send what changes after that; `representations` says the same as a Table or as metadata alone.
"""
