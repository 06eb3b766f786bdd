#!/bin/sh
# Writes sample logs and lets verifiers judge them that share no code with this workspace: Go's sumdb/note and
# sumdb/tlog (Debian: golang-go, golang-golang-x-mod-dev), our own Python with `cryptography`, and PyPI's aics-tlog
# and sigstore. matrix.py changes every artefact in turn: whoever reads it must refuse each change.
#
# PYTHON names the interpreter (default python3). A verifier that is not there is skipped, loudly;
# with VOUCHSAFE_REQUIRE_SERVICES set that is an error.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python=${PYTHON:-python3}
samples=$work/samples
mkdir "$samples"

missing() {
    [ -z "${VOUCHSAFE_REQUIRE_SERVICES:-}" ] || { echo "FAILED: no $1"; exit 1; }
    echo "SKIPPED: no $1, so it did not check the log"
}

(cd "$here/../.." && VOUCHSAFE_INTEROP_DIR=$samples \
    cargo test --quiet --locked -p vouchsafe-ledger --test it interop::write)
[ -f "$samples/small/log/checkpoint" ] || { echo "FAILED: no sample log was written"; exit 1; }

cat >"$work/vouchsafe" <<OURS
cat >"$work/cases"
cd "$here/../.." && VOUCHSAFE_INTEROP_CASES=$work/cases \\
    cargo test --quiet --locked -p vouchsafe-ledger --test it interop::judge >&2
cat "$work/cases.verdicts"
OURS
set -- "vouchsafe=sh -eu $work/vouchsafe"
gopath=/usr/share/gocode
if command -v go >/dev/null 2>&1 && [ -d "$gopath/src/golang.org/x/mod/sumdb/tlog" ]; then
    (cd "$work" && GO111MODULE=off GOFLAGS= GOPATH=$gopath go build -o "$work/check_log" "$here/check_log.go")
    set -- "$@" "go=$work/check_log"
else
    missing "Go tool chain with golang.org/x/mod"
fi

# NAME MODULE SCRIPT
while read -r name module script; do
    if "$python" -c "import $module" 2>/dev/null; then
        set -- "$@" "$name=$python -B $here/$script"
    else
        missing "Python module $module"
    fi
done <<'VERIFIERS'
python cryptography check_log.py
aics-tlog aics_tlog check_aics.py
sigstore sigstore._internal.merkle check_sigstore.py
VERIFIERS

"$python" -B "$here/matrix.py" "$samples" "$@"
