"""Evidence: what a report was computed from, packed with it and signed, so that it can be checked."""
