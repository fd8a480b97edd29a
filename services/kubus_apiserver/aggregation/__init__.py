"""Aggregation: groups of the API that extension apiservers serve, and the APIServices that say so.

`local` says which APIServices there are for what is served here, `availability` whether the others can be reached,
`extensions` asks them what they serve, `aggregator` does all of it for ever, and `routing` sends requests there;
`trusted` is how extension apiservers know this one.

https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
"""
