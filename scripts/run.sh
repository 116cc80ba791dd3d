#!/bin/sh
# Runs a task of this repository on a machine that has only Node 20 or newer with npm: sets up what is missing first.
#   sh scripts/run.sh demo|test|soak|package|check|test-haproxy PATH|test-brokers [PATH]
set -eu
cd "$(dirname "$0")/.."

task=${1:-}
case $task in
  demo | test | soak | package | check | test-haproxy | test-brokers) shift ;;
  *) echo "Cannot run ${task:-nothing}: wanted one of demo, test, soak, package, check, test-haproxy, test-brokers" >&2; exit 64 ;;
esac

PNPM=pnpm@12.21.0 # as in package.json, "packageManager"
STAMP=node_modules/.dstack-setup

# What node_modules is made of; the folder too, as links in it are absolute.
setup_digest() {
  { pwd; uname -sm; cat pnpm-lock.yaml pnpm-workspace.yaml package.json packages/*/package.json */package.json; } | cksum
}

install_packages() {
  wanted=$(setup_digest)
  if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$wanted" ]; then return; fi
  command -v npx >/dev/null || { echo "Cannot set up: npx is missing, wanted Node 20 or newer with npm" >&2; exit 1; }
  echo "Setting up: packages ($PNPM) ..." >&2
  log=$(mktemp)
  # CI=true: without a terminal pnpm would stop to ask. -y: some machines are set to yes=false.
  if ! CI=true npx -y "$PNPM" install --frozen-lockfile >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    echo "Cannot set up: installing the packages failed, see above" >&2
    exit 1
  fi
  rm -f "$log"
  printf '%s\n' "$wanted" >"$STAMP"
}

# The pinned Node comes with the packages on Linux (x64, arm64); elsewhere the machine's own must do.
check_node() {
  if ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 22) ? 0 : 1)'; then
    echo "Cannot run on Node $(node --version 2>/dev/null || echo 'of this machine'): wanted 22.22 or newer" >&2
    exit 1
  fi
}

install_packages
PATH="$PWD/node_modules/.bin:$PATH:/usr/sbin:/sbin" # Debian keeps haproxy where users do not look
export PATH
check_node

case $task in
  demo) sh scripts/install-haproxy.sh haproxy ;;
  test | soak) sh scripts/install-haproxy.sh haproxy etcd rpmbuild systemd-analyze zsh fish proton-python proton-cpp proton-examples go chromium rabbitmq-server ;;
  package) sh scripts/install-haproxy.sh dpkg-deb rpmbuild strip || true ;; # it builds what it can, and says what is missing
esac

# build/bin has the programs as the packages have them; done in a moment where their sources are the same.
case $task in
  demo | test | soak) node scripts/build-programs.ts ;;
esac

case $task in
  # Its services run from their sources, which take half the time to start where their code is compiled.
  demo) NODE_COMPILE_CACHE=$PWD/.cache/compiled exec node examples/demo.ts "$@" ;;
  package) exec node packaging/build.ts "$@" ;;
  test-haproxy) exec node scripts/test-haproxy.ts "$@" ;;
  test-brokers) exec node scripts/test-brokers.ts "$@" ;;
  *) exec node scripts/test.ts "$task" "$@" ;;
esac
