"""The database: tables, connections, migrations. Knows nothing of what the rows are for."""
