# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share. Sourced, not run; needs bash.

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# need_packages NAME...: the Debian packages are there, or are installed now (root), or we say what is missing; on
# other systems we say what is missing by the names it has there.
need_packages() {
  local package missing=()
  command -v dpkg-query >/dev/null || { need_packages_elsewhere "$@"; return; }
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed$' || missing+=("$package")
  done
  [ "${#missing[@]}" -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    die "these packages are missing: ${missing[*]}
Run me as root, and I install them; or do it yourself:  apt-get install ${missing[*]}"
  fi
  say "Installing Debian packages: ${missing[*]}"
  install_packages "${missing[@]}"
}

# The same where dpkg is not at home. Nothing is installed. What may be there under a name we do not know is no reason
# to stop: the build says so itself if it is not.
need_packages_elsewhere() {
  local tool column name package missing=() unknown=()
  if command -v dnf >/dev/null; then tool='dnf install' column=2
  elif command -v apk >/dev/null; then tool='apk add' column=3
  elif command -v pkg >/dev/null; then tool='pkg install' column=4
  else
    say "Needed, by the names that Debian has for it: $* (this system's are not known to me; going on)"
    return
  fi
  for package in "$@"; do
    name=$(awk -v package="$package" -v column="$column" '$1 == package { print $column }' scripts/package_names)
    case $name in
      -) continue ;;
      '' | '?') unknown+=("$package"); continue ;;
    esac
    case $tool in
      dnf*) rpm -q "$name" ;;
      apk*) apk info -e "$name" ;;
      pkg*) pkg info -e "$name" ;;
    esac >/dev/null 2>&1 || missing+=("$name")
  done
  [ "${#unknown[@]}" -eq 0 ] || say "Needed as well, by the names that Debian has for it (going on): ${unknown[*]}"
  [ "${#missing[@]}" -eq 0 ] || die "these packages are missing; as root:  $tool $(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')"
}

# install_packages NAME...: by apt-get, and no service is started by it (nsd, unbound, … are wanted as programs only).
# A subshell: however it ends, the policy that says so goes with it; one that a kill -9 left is known by its second
# line (tests/interop/install.py writes the same), and goes with the next.
install_packages() (
  policy=/usr/sbin/policy-rc.d log=$(mktemp) status=0
  mark='# qmail-tls: while it installs packages; to be removed if it is still here afterwards'
  made=("$log")
  trap 'rm -f "${made[@]}"' EXIT
  trap 'exit 1' HUP INT TERM
  if [ ! -e "$policy" ] || grep -qxF "$mark" "$policy"; then
    made+=("$policy")
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy" && chmod 755 "$policy" || exit 1
  fi
  { apt-get -qq -o DPkg::Lock::Timeout=300 update &&
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends \
        install "$@" >"$log" 2>&1; } || status=$?
  [ "$status" -eq 0 ] || { tail -n 20 "$log" >&2; die "apt-get failed ($status)"; }
)

# build PRESET [CMAKE-OPTION...]: configures and builds, quiet unless something is wrong.
build() {
  local preset=$1 log
  shift
  log=$(mktemp)
  say "Building (preset $preset; the first time takes a minute or two)"
  if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset" -j "$(nproc)"; } >"$log" 2>&1; then
    grep -nE 'error|Error|FAILED' "$log" | head -n 40 >&2
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "the build (preset $preset) failed"
  fi
  rm -f "$log"
}

# run_tests PRESET CTEST-OPTION...: ctest, and then that all it lists has run. With all=1, every case of the gtest
# programs has, too. NO_SKIPS in the environment: none may be skipped.
run_tests() {
  local preset=$1 folder=build/$1 listed status=0
  shift
  rm -f "$folder/ran.xml" "$folder/Testing/Temporary/LastTest.log"
  listed=$(ctest --preset "$preset" -N "$@" | sed -n 's/^Total Tests: //p')
  ctest --preset "$preset" --no-tests=error -j "$(nproc)" --output-on-failure --output-junit "$PWD/$folder/ran.xml" "$@" || status=$?
  python3 tests/support/count_tests.py "${listed:-0}" "$folder/ran.xml" "$folder/Testing/Temporary/LastTest.log" \
    ${all:+"$folder/gtest-programs"} || [ "$status" -ne 0 ] || status=1
  return "$status"
}

packages_to_build='g++ cmake make libssl-dev libcdb-dev'
packages_to_package='dpkg-dev file'
packages_to_test='libgtest-dev libgmock-dev openssl ucspi-tcp daemontools groff mandoc shellcheck lintian procps python3 iproute2'

# debian_root SUITE[-experimental][-ARCHITECTURE]: names a folder with that Debian release in it, made by debootstrap when
# it is not there yet, from where this machine's own packages come. With -experimental, its packages can be had, too.
debian_root() {
  local root=${QMAIL_TLS_CACHE:-/var/cache/qmail-tls}/$1 suite=${1%%-*} architecture='' mirror sources log
  case "$1" in *-i386) architecture=i386 ;; esac
  if [ ! -e "$root/.whole" ]; then
    need_packages debootstrap >&2
    say "Setting up Debian $1 in $root" >&2
    rm -rf "$root"
    mkdir -p "$root"
    log=$(mktemp)
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null |
      sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:\/\/[^ ]*\/debian)\/?( .*)?$/\3/p' | head -n 1)
    debootstrap --variant=minbase ${architecture:+"--arch=$architecture"} "$suite" "$root" ${mirror:+"$mirror"} >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; die "debootstrap failed"; }
    rm -f "$log"
    sources=$root/etc/apt/sources.list
    # A mirror that stands still will do.
    sed -i 's/^deb http/deb [check-valid-until=no] http/' "$sources"
    case "$1" in *-experimental*) sed "s/ $suite / experimental /" "$sources" >"$sources.d/experimental.list" ;; esac
    # Nobody mourns a root that a power failure takes.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
    touch "$root/.whole"
  fi
  echo "$root"
}

# in_root ROOT COMMAND...: with ROOT as the whole file system (not a chroot, which some calls are refused in), and with
# mounts and processes of its own.
in_root() {
  local root=$1
  shift
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  unshare --mount --pid --uts --fork --kill-child -- sh -ec '
    mount --bind "$1" "$1"
    cd "$1"
    shift
    mount -t proc proc proc
    mount --rbind /dev dev
    mount --rbind /sys sys
    mount -t tmpfs -o mode=1777 tmp tmp
    mkdir -p .outside
    pivot_root . .outside
    cd /
    umount -l .outside
    rmdir .outside
    exec "$@"' sh "$root" "$@"
}
