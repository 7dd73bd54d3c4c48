"""What a stage costs in a month: an estimate from its settings, a dated price table, and what one job uses."""
