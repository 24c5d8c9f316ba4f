# better-sqlite3 for the tests. Where its prebuilt binary can't be fetched it is compiled for minutes, so it is no
# dependency of the package, and what was built once is kept outside of the checkout.

BETTER_SQLITE3_VERSION=12.11.1

install_better_sqlite3() {
  local cache kept
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/typeorm-private-files
  kept=$cache/better-sqlite3-$BETTER_SQLITE3_VERSION-$(node -p '`abi${process.versions.modules}-${process.platform}-${process.arch}`')
  if opens_a_database "$kept"; then
    echo "Using $kept"
  else
    build_better_sqlite3 "$cache" "$kept"
  fi
  # TypeORM looks for it beside itself. What npm installed under the same names is replaced, so that all is of one version.
  local name
  for name in better-sqlite3 bindings file-uri-to-path; do
    rm -rf "node_modules/$name"
    cp -R "$kept/node_modules/$name" node_modules/
  done
  opens_a_database "$PWD"
}

# A killed build leaves its folder under the name of a build; only a build that works gets the name that is looked for.
build_better_sqlite3() {
  local cache=$1 kept=$2 build
  mkdir -p "$cache"
  find "$cache" -maxdepth 1 -name 'building.*' -mmin +120 -exec rm -rf {} +
  build=$(mktemp -d "$cache/building.XXXXXX")
  install_compiler
  echo "Building better-sqlite3 $BETTER_SQLITE3_VERSION; this takes some minutes"
  (cd "$build" && echo '{ "private": true }' >package.json && use_headers_of_node &&
    npm install --no-audit --no-fund --no-package-lock --loglevel=error "better-sqlite3@$BETTER_SQLITE3_VERSION")
  rm -rf "$build"/node_modules/better-sqlite3/build/Release/{obj,obj.target,.deps} "$build"/node_modules/better-sqlite3/deps
  opens_a_database "$build"
  rm -rf "$kept"
  # Another run may have been faster; its build is as good.
  mv -T "$build" "$kept" || opens_a_database "$kept"
}

install_compiler() {
  local missing=()
  command -v python3 >/dev/null || missing+=(python3)
  command -v make >/dev/null || missing+=(make)
  command -v g++ >/dev/null || missing+=(g++)
  ((${#missing[@]} == 0)) || install_debian_packages "${missing[@]}"
}

# node-gyp would download the headers of Node, which most installations have.
use_headers_of_node() {
  local prefix
  prefix=$(node -p 'require("node:path").resolve(process.execPath, "../..")')
  if [[ -f $prefix/include/node/node.h ]]; then export npm_config_nodedir=$prefix; fi
}

opens_a_database() {
  [[ -d $1/node_modules/better-sqlite3 ]] &&
    (cd "$1" && node -e 'require("better-sqlite3")(":memory:").exec("SELECT 1")')
}
