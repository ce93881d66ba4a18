"""Salesforce: sign-in and endpoints by simple-salesforce, hot paths by the shared transport (see ``connector.py``)."""
