#!/usr/bin/env bash
# The one entry: installs and builds what is missing or out of date, then hands over to Node.
# What it says about that goes to standard error; standard output belongs to the program.
set -euo pipefail

say() { printf 'wal-cake: %s\n' "$1" >&2; }

fail() {
  say "$1"
  exit "${2:-1}"
}

# The folder of this file, through any symbolic links to it.
self=$0
case $self in
  */*) ;;
  *) self=./$self ;;
esac
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done

# A folder named relative to where the caller stands stays there.
case ${LAKE_DIR:-/} in
  /*) ;;
  *) export LAKE_DIR="$PWD/$LAKE_DIR" ;;
esac
cd "${self%/*}"

command -v node > /dev/null || fail 'needs Node.js 20.12 or newer, and there is no node on the PATH' 2
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 12) ? 0 : 1)' ||
  fail "needs Node.js 20.12 or newer, and this is $(node --version)" 2

# npm writes this file last.
installed=node_modules/.package-lock.json

install_packages() {
  if [ -e "$installed" ] && [ ! package-lock.json -nt "$installed" ] && [ -e node_modules/typescript ]; then return; fi
  command -v npm > /dev/null || fail 'needs npm to install its packages, and there is none on the PATH' 2
  say 'installing packages (once)'
  # No package of ours needs its install script, and not every npm would run it.
  local output
  output=$(npm ci --include=dev --ignore-scripts --no-audit --no-fund --no-progress --loglevel=error 2>&1 < /dev/null) ||
    fail "npm ci failed:"$'\n'"$output"
}

built=dist/.built

build() {
  local sources=(package.json tsconfig.json "$installed" cmd internal test)
  if [ -d bench ]; then sources+=(bench); fi
  # A folder is newer when a file came or went.
  if [ -e "$built" ] &&
    [ -z "$(find "${sources[@]}" \( -type d -o -name '*.ts' -o -name '*.cts' -o -name '*.json' \) -newer "$built" -print)" ]; then
    return
  fi
  say 'building'
  mkdir -p dist
  # Stamped with the time before, so that a source changed meanwhile is built next time.
  touch dist/.building
  local output
  output=$(node node_modules/typescript/bin/tsc -p . 2>&1 && node dist/cmd/wal-cake/bundle.js 2>&1) ||
    fail "the build failed:"$'\n'"$output"
  mv dist/.building "$built"
}

step() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    printf 'ok      %s\n' "$name"
  else
    printf '%s\nFAILED  %s\n' "$output" "$name"
    exit 1
  fi
}

check() {
  local lint told
  told=$(mktemp)
  # It takes as long as all others together.
  step 'lint' node node_modules/eslint/bin/eslint.js --max-warnings 0 . > "$told" &
  lint=$!
  # shellcheck disable=SC2064 # the values of now
  trap "kill $lint 2> /dev/null || true; rm -f '$told'" EXIT
  step 'formatting' node node_modules/prettier/bin/prettier.cjs --check --log-level warn .
  step 'types' build
  step 'generated docs' node dist/cmd/wal-cake/generate-docs.js --check
  local passed=0
  wait "$lint" || passed=1
  cat "$told"
  return "$passed"
}

install_packages

case ${1:-} in
  check)
    check
    exit
    ;;
  demo) program=cmd/wal-cake/demo.js ;;
  test) program=test/run.js ;;
  bench) program=bench/run.js ;;
  *) program=bundle/wal-cake/launch.cjs ;;
esac
if [ "$program" != bundle/wal-cake/launch.cjs ]; then shift; fi

build
# cmd/wal-cake/program.ts says why.
exec node --initial-old-space-size=40 "dist/$program" "$@"
