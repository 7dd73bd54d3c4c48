"""The YAML's shape as pydantic models: the one source of validation, JSON Schema and the reference's tables."""
