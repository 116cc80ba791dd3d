#!/bin/sh
# Installs programs that the system's package manager has, where they are missing; never starts or enables their services.
#   sh scripts/install-haproxy.sh haproxy [etcd] [rpmbuild] ...
set -eu
PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"

# Whether a program is there; some of what is asked for are no programs but libraries and files.
has() {
  case $1 in
    proton-python) /usr/bin/python3 -c 'import proton' 2>/dev/null ;;
    proton-cpp) ! command -v g++ >/dev/null || [ -e /usr/include/proton/container.hpp ] ;; # of use with a compiler alone
    chromium) command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null ;;
    proton-examples) [ -e /usr/share/proton/examples/python/simple_send.py ] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

missing=
for program in "$@"; do
  has "$program" || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

manager=
for candidate in apt-get dnf yum zypper apk pacman brew; do
  if command -v "$candidate" >/dev/null; then manager=$candidate; break; fi
done

# The package of a program. Debian and newer Ubuntu have the server of etcd in a package of its own.
package_of() {
  case $1-$manager in
    etcd-apt-get) if [ -n "$(apt-cache show etcd-server 2>/dev/null)" ]; then echo etcd-server; else echo etcd; fi ;;
    rpmbuild-dnf | rpmbuild-yum | rpmbuild-zypper) echo rpm-build ;;
    rpmbuild-pacman) echo rpm-tools ;;
    rpmbuild-*) echo rpm ;;
    strip-*) echo binutils ;;
    systemd-analyze-*) echo systemd ;;
    dpkg-deb-*) echo dpkg ;;
    proton-python-*) echo python3-qpid-proton ;;
    proton-cpp-apt-get) echo libqpid-proton-cpp12-dev ;;
    proton-cpp-*) echo qpid-proton-cpp-devel ;;
    proton-examples-apt-get) echo libqpid-proton11-dev-examples ;;
    proton-examples-*) echo qpid-proton-c-docs ;;
    chromium-apt-get) if [ -n "$(apt-cache show chromium-headless-shell 2>/dev/null)" ]; then echo chromium-headless-shell; else echo chromium; fi ;;
    go-apt-get) echo golang-go ;;
    go-dnf | go-yum) echo golang ;;
    *) echo "$1" ;;
  esac
}

install_command() {
  case $manager in
    apt-get) echo "apt-get install -y --no-install-recommends $*" ;;
    dnf | yum) echo "$manager install -y $*" ;;
    zypper) echo "zypper --non-interactive install $*" ;;
    apk) echo "apk add $*" ;;
    pacman) echo "pacman -S --noconfirm $*" ;;
    brew) echo "brew install $*" ;;
  esac
}

packages_of() {
  for program in $missing; do package_of "$program"; done | tr '\n' ' ' | sed 's/ $//'
}

if [ -z "$manager" ]; then
  echo "Cannot go on without$missing: install it with this system's package manager, then run this again" >&2
  exit 1
fi

if [ "$(id -u)" = 0 ] || [ "$manager" = brew ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "Cannot go on without$missing: run \`sudo $(install_command "$(packages_of)")\`, then run this again" >&2
  exit 1
fi

# Debian's packages start and enable their services. policy-rc.d, which the Debian policy (9.3.3) gives to whoever
# administers the machine, forbids the start; what has been enabled is disabled again below.
POLICY=/usr/sbin/policy-rc.d
policy_is_ours=
log=$(mktemp)
clean_up() {
  if [ -n "$policy_is_ours" ]; then $as_root rm -f "$POLICY"; fi
  rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

forbid_services() {
  [ "$manager" = apt-get ] && [ ! -e "$POLICY" ] || return 0
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$POLICY" >/dev/null
  $as_root chmod 755 "$POLICY"
}

disable_services() {
  [ "$manager" = apt-get ] || return 0
  for program in $missing; do
    if command -v deb-systemd-helper >/dev/null; then
      $as_root deb-systemd-helper disable "$program.service" >/dev/null 2>&1 || true
    fi
    if command -v update-rc.d >/dev/null && [ -e "/etc/init.d/$program" ]; then
      $as_root update-rc.d "$program" disable >/dev/null 2>&1 || true
    fi
  done
}

install_packages() {
  # shellcheck disable=SC2046,SC2086 # words on purpose
  $as_root env DEBIAN_FRONTEND=noninteractive $(install_command "$(packages_of)") >"$log" 2>&1 </dev/null
}

refresh_lists() {
  case $manager in
    apt-get) $as_root apt-get update >>"$log" 2>&1 ;;
    apk) $as_root apk update >>"$log" 2>&1 ;;
    pacman) $as_root pacman -Sy >>"$log" 2>&1 ;;
    *) return 1 ;;
  esac
}

echo "Setting up:$missing ($manager) ..." >&2
forbid_services
# The lists of packages take long to fetch and mostly are there; only a failure tells that they are missing or old.
if ! install_packages && ! { refresh_lists && install_packages; }; then
  tail -n 5 "$log" >&2
  echo "Cannot go on without$missing: \`$(install_command "$(packages_of)")\` failed, see above" >&2
  exit 1
fi
disable_services

for program in $missing; do
  has "$program" || { echo "Cannot go on without $program: its package was installed, but has no such program" >&2; exit 1; }
done
