"""What reading bills has in common, whoever wrote them: files into columns, months whole."""
