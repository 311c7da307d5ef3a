"""Runs the commands of the pages in a folder that stands for a clean machine, and checks that what cannot run says why."""
