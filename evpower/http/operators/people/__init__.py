"""People at the operators' doors: staff, and the clients they look after."""
