"""The worker: an AWS Lambda function that takes scoring jobs from SQS and records their results in DynamoDB."""
