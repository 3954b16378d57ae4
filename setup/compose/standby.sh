#!/bin/bash
# A standby: a copy of the primary the first time, then whatever it was when it was stopped.
set -euo pipefail
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  chmod 0700 "$PGDATA"
  password=$(cat /run/secrets/replication)
  printf 'primary:5432:*:replicator:%s\n' "$password" > /tmp/pgpass && chmod 0600 /tmp/pgpass
  # The name is the one that synchronous_standby_names names.
  PGPASSFILE=/tmp/pgpass pg_basebackup --pgdata="$PGDATA" --wal-method=stream --slot=standby --write-recovery-conf --checkpoint=fast \
    --dbname="host=primary user=replicator application_name=standby"
  # The copy has the place as well; its own is not kept.
  echo "primary_conninfo = 'host=primary user=replicator password=$password application_name=standby'" >> "$PGDATA/postgresql.auto.conf"
fi
exec postgres
