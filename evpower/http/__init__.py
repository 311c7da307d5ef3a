"""The door for people: REST and sockets for phones, webhooks for providers, the control socket for operators.

Parses, calls one service, answers. No rule lives here.
"""
