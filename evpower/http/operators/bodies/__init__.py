"""What operators send, read field by field; InvalidRequest names every wrong one."""
