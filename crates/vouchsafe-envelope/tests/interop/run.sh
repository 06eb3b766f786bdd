#!/bin/sh
# Sealed records between this workspace and Python, both ways, with every number printed.
#
# python3 on the PATH needs the package `cryptography`; without it this fails.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
VOUCHSAFE_REQUIRE_SERVICES=1 exec cargo test --quiet -p vouchsafe-envelope --test interop -- --nocapture
