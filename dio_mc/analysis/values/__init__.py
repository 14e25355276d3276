"""Which values cells and expressions may hold, and what is known of each control state."""
