#!/bin/sh
# Installs Datawire dstack on this machine: as .deb or .rpm where the system has them, else as a package of npm.
# Everything that is downloaded is checked against the list SHA256SUMS of the same place before anything is installed, and
# the list against its signature SHA256SUMS.sig, where it is known whose that has to be.
set -eu

# The public key of who made the packages, PEM, one line: `npm run package -- --sign KEY` puts it into the copy beside them.
signed_by=''
# When that was: an older list is not taken.
signed_at=''

usage() {
  cat <<'EOF'
Usage: install.sh [--from PLACE] [--format deb|rpm|npm] [--only NAME[,NAME]...] [--prefix FOLDER] [--dry-run]

  --from PLACE     where the packages are: an https:// address (http:// on this machine alone), or a folder
                   (default: DATAWIRE_MIRROR, else the folder of this script or dist in it, which `npm run package` makes)
  --format FORMAT  default: deb where there is apt-get, rpm where there is dnf, yum or zypper, both as root or with sudo;
                   else npm
  --only NAMES     programs, of .deb and .rpm: dw, directory, watson, sherlock, router (default: all of these)
  --prefix FOLDER  of npm: where it installs (default: npm's own where that can be written, else ~/.local)
  --key FILE       public key, PEM, that has to have signed the list (default: the one in this script, if it has one)
  --sums HEX       what `sha256sum SHA256SUMS` has to print, where you have it from elsewhere
  --expired        take a signed list whose time is over
  --dry-run        say what would be done, and download the list alone
EOF
}

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }

from=${DATAWIRE_MIRROR:-}
format=
only=dw,directory,watson,sherlock,router
prefix=
key=
sums=
expired=
dry=
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --dry-run) dry=yes; shift; continue ;;
    --expired) expired=yes; shift; continue ;;
    --from | --format | --only | --prefix | --key | --sums) [ $# -gt 1 ] || fail "$1 wants a value; see --help" 64 ;;
    *) fail "Cannot use $1: see --help" 64 ;;
  esac
  case $1 in
    --from) from=$2 ;;
    --format) format=$2 ;;
    --only) only=$2 ;;
    --prefix) prefix=$2 ;;
    --key) key=$2 ;;
    --sums) sums=$2 ;;
  esac
  shift 2
done

case $format in
  '' | deb | rpm | npm) ;;
  *) fail "Cannot use $format as --format: wanted deb, rpm or npm" 64 ;;
esac
programs=$(echo "$only" | tr ',' ' ')
for program in $programs; do
  case $program in
    dw | directory | watson | sherlock | router) ;;
    *) fail "Cannot install $program: wanted dw, directory, watson, sherlock or router" 64 ;;
  esac
done

if [ -z "$from" ]; then
  from=$(cd "$(dirname "$0")" 2>/dev/null && pwd)
  [ -f "$from/SHA256SUMS" ] || from=$from/dist
  [ -f "$from/SHA256SUMS" ] || fail "Cannot find packages: wanted --from PLACE or DATAWIRE_MIRROR, or \`npm run package\` in the checkout" 64
fi
case $from in
  https://* | http://localhost | http://localhost[:/]* | http://127.0.0.1 | http://127.0.0.1[:/]*) ;;
  http://*) fail "Cannot download from $from: wanted https://" 64 ;;
  *) [ -d "$from" ] || fail "Cannot find packages: there is no folder $from" ;;
esac
has sha256sum || has shasum || fail "Cannot check what is downloaded: wanted sha256sum or shasum"
[ -z "$key" ] || [ -r "$key" ] || fail "Cannot read the key $key" 64
[ -z "$key$signed_by" ] || has openssl || fail "Cannot check who signed the packages: wanted openssl"

# How to become root, where that needs no password that nobody is there to type.
root=
can_be_root=
if [ "$(id -u)" = 0 ]; then
  can_be_root=yes
elif has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  can_be_root=yes
  root=sudo
fi

manager=
for candidate in dnf yum zypper; do
  if [ -z "$manager" ] && has "$candidate"; then manager=$candidate; fi
done
if [ -z "$format" ]; then
  if [ -n "$can_be_root" ] && has apt-get && has dpkg; then format=deb
  elif [ -n "$can_be_root" ] && [ -n "$manager" ] && has rpm; then format=rpm
  elif has npm; then format=npm
  else fail "Cannot install here: wanted apt-get, dnf, yum or zypper with root or sudo, or npm"
  fi
fi
case $format in
  deb) has apt-get && has dpkg || fail "Cannot install .deb packages: apt-get is missing" ;;
  rpm) [ -n "$manager" ] || fail "Cannot install .rpm packages: dnf, yum and zypper are missing" ;;
  npm) has npm || fail "Cannot install from npm: npm is missing" ;;
esac
if [ "$format" != npm ] && [ -z "$can_be_root" ]; then
  fail "Cannot install .$format packages: wanted root, or sudo; --format npm does without"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# An address of https leads to no other kind.
protocols=https
case $from in http://*) protocols=http,https ;; esac

fetch() { # NAME: into $work
  case $from in
    http://* | https://*)
      if has curl; then
        curl --fail --silent --show-error --location --proto "=$protocols" --proto-redir "=$protocols" --retry 2 \
          --output "$work/$1" "${from%/}/$1" || fail "Cannot download ${from%/}/$1"
      elif has wget; then
        wget -q -O "$work/$1" "${from%/}/$1" || fail "Cannot download ${from%/}/$1"
      else
        fail "Cannot download ${from%/}/$1: wanted curl or wget"
      fi
      ;;
    *) cp "$from/$1" "$work/$1" || fail "Cannot read $from/$1" ;;
  esac
}

digest() { # FILE
  if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

time_of() { # WORD: what the list says of itself, as 2026-01-31T12:00:00Z; nothing where it does not
  sed -n -E "s/^# $1 ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\$/\1/p" "$work/SHA256SUMS" | head -n 1
}

is_before() { # TIME TIME
  [ "$(echo "$1" | tr -cd 0-9)" -lt "$(echo "$2" | tr -cd 0-9)" ]
}

fetch SHA256SUMS
if [ -n "$sums" ] && [ "$(digest "$work/SHA256SUMS")" != "$sums" ]; then
  fail "Cannot trust ${from%/}/SHA256SUMS: its SHA-256 is $(digest "$work/SHA256SUMS"), wanted $sums"
fi

if [ -n "$signed_by" ] && [ -z "$key" ]; then
  key=$work/key.pem
  # Old versions of openssl read no long lines.
  { echo '-----BEGIN PUBLIC KEY-----'; echo "$signed_by" | fold -w 64; echo '-----END PUBLIC KEY-----'; } >"$key"
fi
if [ -n "$key" ]; then
  fetch SHA256SUMS.sig
  openssl dgst -sha256 -verify "$key" -signature "$work/SHA256SUMS.sig" "$work/SHA256SUMS" >/dev/null 2>&1 ||
    fail "Cannot trust ${from%/}/SHA256SUMS: SHA256SUMS.sig is not its signature by the key; nothing is installed"
  # The signature of a list says nothing of today: whoever is between, or has a mirror, could show an old one for ever.
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  signed=$(time_of signed)
  until=$(time_of valid-until)
  if [ -z "$signed" ] || [ -z "$until" ]; then
    fail "Cannot trust ${from%/}/SHA256SUMS: it does not say until when it holds; wanted one that \`npm run package -- --sign KEY\` has signed"
  fi
  if [ -n "$signed_at" ] && is_before "$signed" "$signed_at"; then
    fail "Cannot trust ${from%/}/SHA256SUMS: it was signed at $signed, before this script ($signed_at); somebody shows an old list"
  fi
  if [ -z "$expired" ] && is_before "$until" "$now"; then
    fail "Cannot trust ${from%/}/SHA256SUMS: it held until $until, and it is $now; wanted a list that is signed anew, or --expired"
  fi
fi

newest() { # PATTERN of the whole name, an extended regular expression: the newest such file of the list
  # What is no name of a file would be looked for elsewhere.
  sed -n -E 's/^[0-9a-f]{64}  ([A-Za-z0-9][A-Za-z0-9._~+-]*)$/\1/p' "$work/SHA256SUMS" | grep -E "^$1\$" | sort -V | tail -n 1
}

find_file() { # PATTERN NAME
  file=$(newest "$1") || file=
  [ -n "$file" ] || fail "Cannot find $2 for this machine: ${from%/}/SHA256SUMS has none"
  files="$files $file"
}

files=
machine=$(uname -m)
case $format in
  deb)
    find_file "datawire-node_[^_]+_$(dpkg --print-architecture)\\.deb" datawire-node
    for program in $programs; do find_file "datawire-${program}_[^_]+_all\\.deb" "datawire-$program"; done
    ;;
  rpm)
    find_file "datawire-node-[0-9][^-]*-[^-]+\\.$machine\\.rpm" datawire-node
    for program in $programs; do find_file "datawire-$program-[0-9][^-]*-[^-]+\\.noarch\\.rpm" "datawire-$program"; done
    ;;
  npm)
    find_file 'dstack-[0-9][^-]*\.tgz' dstack
    if [ -z "$prefix" ]; then
      prefix=$(npm prefix --global)
      [ -w "$prefix/lib" ] || [ -w "$prefix" ] || prefix=$HOME/.local
    fi
    ;;
esac

echo "Installing$files from $from"
if [ -n "$dry" ]; then exit 0; fi

for file in $files; do
  fetch "$file"
  wanted=$(sed -n "s/^\\([0-9a-f]\\{64\\}\\)  $(echo "$file" | sed 's/[.+]/\\&/g')\$/\\1/p" "$work/SHA256SUMS" | tail -n 1)
  found=$(digest "$work/$file")
  [ "$found" = "$wanted" ] || fail "Cannot trust $file: its SHA-256 is $found, wanted $wanted; nothing is installed"
done

cd "$work"
# shellcheck disable=SC2046,SC2086 # the names have no blanks
case $format in
  deb)
    # The user of apt, _apt, reads what is installed.
    chmod 755 "$work"
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --allow-downgrades $(printf './%s ' $files)
    ;;
  rpm)
    # The list has vouched for them; they have no signature.
    case $manager in
      zypper) $root zypper --non-interactive install --allow-unsigned-rpm $(printf './%s ' $files) ;;
      *) $root $manager install -y $(printf './%s ' $files) ;;
    esac
    ;;
  npm)
    npm install --global --prefix "$prefix" --no-audit --no-fund $(printf './%s ' $files)
    case :$PATH: in
      *:"$prefix/bin":*) ;;
      *) echo "Add $prefix/bin to your PATH" ;;
    esac
    ;;
esac
echo "Installed. Try: dw service add microlog"
