"""Records and associations: stored, checked, written, merged, found."""
