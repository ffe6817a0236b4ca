"""Statistical functions that several metrics share."""
