"""A Salesforce org on SQLite, answered over real HTTP."""
