#!/bin/bash
# Once, while the primary's cluster is made: a role that may replicate, its place in the log, and that commits wait for it.
set -euo pipefail
password=$(cat /run/secrets/replication)
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
SELECT pg_create_physical_replication_slot('standby');
SQL
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"
# From the next start on, because there is no standby yet: an acknowledged decision is on both. While the standby is away nothing
# commits, and so nothing runs (docs/postgresql.md); two standbys and 'ANY 1 (a, b)' spare you of that.
echo "synchronous_standby_names = 'standby'" >> "$PGDATA/postgresql.conf"
