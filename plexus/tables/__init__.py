"""One reader and one writer of tables for all commands: CSV, JSON, Excel and Parquet as programs write them."""

from plexus.tables.columns import as_item, as_text
from plexus.tables.table import Layout, Row, Table, open_table

__all__ = ["Layout", "Row", "Table", "as_item", "as_text", "open_table"]
