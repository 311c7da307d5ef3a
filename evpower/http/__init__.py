"""The people's wire: REST for phones and the control socket for the command line."""
