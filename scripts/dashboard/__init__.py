"""A local, read-only dashboard of a stage: queues, jobs, results, deploys, errors and latency."""
