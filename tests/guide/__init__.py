"""Runs the commands of the pages in a folder that stands for a clean machine; what cannot run says why."""
