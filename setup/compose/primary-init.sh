#!/bin/bash
# Once, while the primary's cluster is made: a role that may replicate, and its place in the log.
set -euo pipefail
password=$(cat /run/secrets/replication)
# The standby is not there yet, so nothing here may wait for it.
psql -v ON_ERROR_STOP=1 -v password="$password" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
SET synchronous_commit = local;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
SELECT pg_create_physical_replication_slot('standby');
SQL
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"
