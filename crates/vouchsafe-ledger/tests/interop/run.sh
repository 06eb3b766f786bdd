#!/bin/sh
# Writes a sample log and lets verifiers check it that share no code with this workspace: Python with `cryptography`,
# and Go's sumdb/note and sumdb/tlog (Debian: golang-go, golang-golang-x-mod-dev). Then changes one byte at a time:
# each verifier must refuse each change.
#
# PYTHON names the interpreter (default python3). Without a Go tool chain its half is skipped, loudly;
# VOUCHSAFE_INTEROP_REQUIRE_GO=1 makes that an error.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
python=${PYTHON:-python3}
sample=$work/sample
mkdir "$sample"

(cd "$here/../.." && VOUCHSAFE_INTEROP_DIR=$sample cargo test --quiet -p vouchsafe-ledger --test it interop)
[ -f "$sample/log/checkpoint" ] || { echo "FAILED: no sample log was written"; exit 1; }

verifiers=python
gopath=/usr/share/gocode
if command -v go >/dev/null 2>&1 && [ -d "$gopath/src/golang.org/x/mod/sumdb/tlog" ]; then
    (cd "$work" && GO111MODULE=off GOFLAGS= GOPATH=$gopath \
        go build -o "$work/check_log" "$here/check_log.go")
    verifiers="python go"
elif [ "${VOUCHSAFE_INTEROP_REQUIRE_GO:-0}" = 1 ]; then
    echo "FAILED: no Go tool chain with golang.org/x/mod"; exit 1
else
    echo "SKIPPED: no Go tool chain with golang.org/x/mod, so Go's own note and tlog did not check the log"
fi

check() {
    case $1 in
        python) "$python" "$here/check_log.py" "$2" ;;
        go) "$work/check_log" "$2" ;;
    esac
}

for verifier in $verifiers; do
    check "$verifier" "$sample" || { echo "FAILED: $verifier refuses an untouched log"; exit 1; }
done

# Replaces the byte at an offset by itself xor 1.
flip() {
    "$python" - "$1" "$2" <<'PYTHON'
import sys
path, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
data[at] ^= 1
open(path, "wb").write(data)
PYTHON
}

refused=0
for change in \
    log/checkpoint:3 log/checkpoint:19 log/checkpoint:40 log/checkpoint:-200 \
    log/tile/0/000:0 log/tile/0/273.p/112:100 log/tile/1/000:4000 log/tile/1/001.p/17:7 log/tile/2/000.p/1:31 \
    log/tile/entries/000:1 log/tile/entries/137:9000 log/tile/entries/273.p/112:-1 \
    receipt.tlog-proof:30 receipt.tlog-proof:60 receipt.tlog-proof:-200 leaf:20 verifier-key:40 origin:2
do
    file=${change%:*}
    cp "$sample/$file" "$work/untouched"
    flip "$sample/$file" "${change##*:}"
    for verifier in $verifiers; do
        if check "$verifier" "$sample" >"$work/output" 2>&1; then
            echo "FAILED: $verifier did not notice a changed byte in $file"; exit 1
        fi
        # Refusing means saying so: a crash of the verifier is no verdict.
        grep -q "refused" "$work/output" || { cat "$work/output"; echo "FAILED: $verifier crashed on $file"; exit 1; }
        refused=$((refused + 1))
    done
    cp "$work/untouched" "$sample/$file"
done

# Go's note ignores the signatures of keys that it does not know, as it must: the cosignature is for Python.
for change in log/checkpoint:-30 log/checkpoint:-100 witness-key:40; do
    file=${change%:*}
    cp "$sample/$file" "$work/untouched"
    flip "$sample/$file" "${change##*:}"
    if check python "$sample" >"$work/output" 2>&1 || ! grep -q "refused" "$work/output"; then
        echo "FAILED: python did not refuse a changed cosignature"; exit 1
    fi
    refused=$((refused + 1))
    cp "$work/untouched" "$sample/$file"
done
for verifier in $verifiers; do
    check "$verifier" "$sample" >/dev/null || { echo "FAILED: the sample was not restored"; exit 1; }
done
echo "interop: $verifiers accept the log, and refused all of $refused changed bytes"
