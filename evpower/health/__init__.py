"""Health: whether a connector that reports Available is one at which charges begin.

Decides, from what became of starts, which connectors are in doubt, and which are good again; operators and phones read
it. Closing a connector stays an operator's decision.
"""
