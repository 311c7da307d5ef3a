"""The commands of `evpower`, a file for each topic. A command imports what it needs when it runs."""
