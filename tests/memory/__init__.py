"""DynamoDB, SQS and S3 in memory, as far as the worker uses them; compared with the local AWS by tests/e2e."""
