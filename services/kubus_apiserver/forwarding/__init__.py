"""Requests that somebody else answers: proxies to pods and Services, aggregated APIs, and calls to webhooks.

`endpoints` picks whom a Service means, `dialling` reaches them, over the bus into pods and directly elsewhere,
`clients` speaks HTTP there, and `forwarder` puts a client's request through.
"""
