"""What operators type: the commands by topic, the control socket, the screen, and work without a server.

Decides what a command shows and how it ends. Every other rule is the running server's, asked over its control socket.
"""
