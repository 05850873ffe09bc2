"""What can be seen of the application from outside: log lines, numbers, reports of errors."""
