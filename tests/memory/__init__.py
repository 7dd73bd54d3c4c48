"""The parts of DynamoDB, SQS and S3 that the worker uses, in memory; tests/e2e compares them with the local AWS."""
