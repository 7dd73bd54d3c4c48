"""DynamoDB, SQS and S3 in memory, as far as the worker uses them; checked against the local AWS by tests/faults."""
