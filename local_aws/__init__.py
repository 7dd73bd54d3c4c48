"""A local AWS: LocalStack with DynamoDB, ECR and Lambda image functions, on one machine, without Docker or root.

`control` starts and stops instances; `environment` and what it stands on run an image without LocalStack.
"""
