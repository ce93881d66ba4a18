"""SOQL: parsed by a grammar, compiled to one parametrised SQL statement, answered in the vendor's JSON shape."""
