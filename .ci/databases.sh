# PostgreSQL and MariaDB for the tests: those that the caller names, else those of this machine, else throw-away ones of
# Debian's packages, in a folder for temporary files, on free ports, stopped at the end.

servers_folder=""
server_stops=()

find_or_start_databases() {
  servers_folder=$(mktemp -d)
  chmod 711 "$servers_folder"
  if [[ -z ${TEST_POSTGRES_URL:-} ]]; then
    TEST_POSTGRES_URL=$(first_usable postgres://{root,postgres}@127.0.0.1:5432/postgres)
    [[ $TEST_POSTGRES_URL ]] || start_postgres
  fi
  if [[ -z ${TEST_MARIADB_URL:-} ]]; then
    TEST_MARIADB_URL=$(first_usable mysql://root@127.0.0.1:3306/mysql)
    [[ $TEST_MARIADB_URL ]] || start_mariadb
  fi
  export TEST_POSTGRES_URL TEST_MARIADB_URL
  node .ci/describe-database.mjs "$TEST_POSTGRES_URL"
  node .ci/describe-database.mjs "$TEST_MARIADB_URL"
}

first_usable() {
  local url
  for url in "$@"; do
    if node .ci/describe-database.mjs "$url" >/dev/null 2>&1; then
      echo "$url"
      return
    fi
  done
}

start_postgres() {
  local programs folder port as
  programs=$(programs_of_postgres)
  if [[ -z $programs ]]; then
    install_debian_packages postgresql
    programs=$(programs_of_postgres)
  fi
  folder=$(folder_for postgres)
  port=$(free_port)
  run_as postgres
  (cd "$folder" && "${as[@]}" "$programs/initdb" -D data -U root --auth=trust --encoding=UTF8 --locale=C.UTF-8 >log)
  # The data is thrown away, so nothing waits for the disk. No socket: its path may be too long.
  (cd "$folder" && exec "${as[@]}" "$programs/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off) >>"$folder/log" 2>&1 </dev/null &
  # SIGINT is the shutdown that does not wait for clients.
  server_stops+=("-INT $!")
  TEST_POSTGRES_URL=postgres://root@127.0.0.1:$port/postgres
  wait_until_usable "$TEST_POSTGRES_URL" $! "$folder/log"
}

programs_of_postgres() {
  { find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null || true; } | sort -V | tail -1
}

start_mariadb() {
  local folder port as
  command -v mariadbd >/dev/null || install_debian_packages mariadb-server
  folder=$(folder_for mysql)
  port=$(free_port)
  run_as mysql
  (cd "$folder" && "${as[@]}" mariadb-install-db --no-defaults --datadir="$folder/data" --skip-test-db \
    --auth-root-authentication-method=normal >log)
  # The character set is Debian's default; MariaDB's own is still latin1.
  (cd "$folder" && exec "${as[@]}" mariadbd --no-defaults --datadir="$folder/data" --port="$port" \
    --bind-address=127.0.0.1 --socket=socket --pid-file=pid --innodb-flush-log-at-trx-commit=0 \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci) >>"$folder/log" 2>&1 </dev/null &
  server_stops+=("-TERM $!")
  TEST_MARIADB_URL=mysql://root@127.0.0.1:$port/mysql
  wait_until_usable "$TEST_MARIADB_URL" $! "$folder/log"
}

# Sets the caller's `as` to what runs a command as that user: PostgreSQL refuses to be root.
run_as() {
  as=()
  ((EUID != 0)) || as=(setpriv --reuid="$1" --regid="$1" --init-groups --)
}

folder_for() {
  local folder=$servers_folder/$1
  mkdir "$folder"
  ((EUID != 0)) || chown "$1:" "$folder"
  echo "$folder"
}

free_port() {
  node -e 'const server = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); })'
}

wait_until_usable() {
  local url=$1 pid=$2 log=$3 tries
  for ((tries = 0; tries < 60; tries++)); do
    if [[ $(first_usable "$url") ]]; then return; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  echo "The server of $url did not start:" >&2
  tail -20 "$log" >&2
  return 1
}

# Only what this run started, by the number of its process.
stop_databases() {
  local stop
  for stop in "${server_stops[@]}"; do kill "${stop% *}" "${stop#* }"; done
  for stop in "${server_stops[@]}"; do wait "${stop#* }"; done
  [[ -z $servers_folder ]] || rm -rf "$servers_folder"
}
