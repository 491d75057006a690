"""What people see and decide: web pages and the control API."""
