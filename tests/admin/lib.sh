# Shared by the tests of this folder: sourced, not run. POSIX sh.
#
# A test script is called with the source and the build folder, works in a scratch folder of its own
# ($scratch, removed at the end), says what it finds wrong and goes on; `finish` gives the exit status.
# Scripts under test run as the user who runs the tests: the names in conf-users are overridden.
set -u
unset CDPATH QMAILHOME FORCE
umask 022

test_name=$(basename "$0")
source_dir=$1
build_dir=$2
# Used by the scripts that source this one.
# shellcheck disable=SC2034
me=$(id -un) my_group=$(id -gn)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/$test_name.XXXXXX") || exit 99
# Every user must reach what stands in there.
chmod 755 "$scratch"
at_end=: finished=
trap 'eval "$at_end"; rm -rf "$scratch"; [ -n "$finished" ] || { echo "$test_name: FAILED: ended before its end" >&2; exit 99; }' EXIT
trap 'exit 99' HUP INT TERM

failures=0
checks=0

fail() {
  printf "%s\n" "$test_name: FAILED: $*" >&2
  failures=$((failures + 1))
}

# check WHAT COMMAND...: the command succeeds.
check() {
  checks=$((checks + 1))
  check_what=$1
  shift
  "$@" || fail "$check_what"
}

# same WHAT EXPECTED FOUND: the two texts are equal.
same() {
  checks=$((checks + 1))
  [ "$2" = "$3" ] || fail "$1: expected '$2', found '$3'"
}

# contains WHAT TEXT PART: PART (a shell pattern) is somewhere in TEXT.
contains() {
  checks=$((checks + 1))
  # shellcheck disable=SC2254
  case $2 in
    *$3*) ;;
    *) fail "$1: no '$3' in: $2" ;;
  esac
}

# runs STATUS COMMAND...: the command's exit status is STATUS; its output, both descriptors, is in
# $output afterwards.
runs() {
  checks=$((checks + 1))
  runs_expected=$1
  shift
  output=$("$@" 2>&1)
  runs_status=$?
  [ "$runs_status" -eq "$runs_expected" ] ||
    fail "exit status $runs_status, expected $runs_expected, from: $*
$output"
}

lines_in() { printf '%s' "$1" | grep -c ''; }
mode_of() { stat -c %a "$1"; }
owner_of() { stat -c %U:%G "$1"; }

# Nothing, or nothing more, could be tested: said aloud, and CTest shows the test as skipped, unless
# something had failed before.
skip() {
  echo "$test_name: SKIPPED: $*" >&2
  [ "$failures" -eq 0 ] || finish
  finished=1
  exit 77
}

finish() {
  finished=1
  echo "$test_name: $checks checks, $failures failed"
  [ "$failures" -eq 0 ] && [ "$checks" -gt 0 ]
  exit
}
