"""A local, read-only page of a stage: queues, jobs, results, deploys, errors and latency."""
