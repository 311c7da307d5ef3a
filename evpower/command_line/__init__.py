"""What stands behind the commands of `evpower/cli.py`: the control socket, the screen, work without a server."""
