"""Evidence packs: a report and its inputs in one signed file, so that others can verify the report."""
