"""Bulk API 2.0: jobs that take or give CSV and do their work while the client polls."""
