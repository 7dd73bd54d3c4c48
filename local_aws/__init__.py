"""A local AWS: LocalStack with DynamoDB, ECR and Lambda image functions, on one machine, without Docker or root.

`control` starts and stops instances. `run_image` and `environment` run an image's function without LocalStack.
"""
