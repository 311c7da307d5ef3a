"""Both payment providers' servers on this machine, with the real wire formats: `evpower sandbox`, the demo, tests."""
