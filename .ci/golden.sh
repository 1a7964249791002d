#!/usr/bin/env bash
# golden.sh -- writes anew what the compiler is expected to write: generated/tiny/tiny.c, what lies in tests/golden, the messages about
# descriptions of operators, and in docs/: the catalogue of errors, the schema that editors check models with, the dumps of compiler.md, design.md, operators.md, performance.md and cluster.md.
# Read the diff afterwards: it is what a change of a stage or of a template does.
set -eu
cd "$(dirname "$0")/.."
export SPNC=$PWD/build/spnc
tests/golden.sh --update
tests/test_outside.sh --update
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
"$SPNC" emit models/tiny.yaml --target avx2 --tuning none -o "$new"
cp "$new/tiny.c" "$new/tiny_inspect.c" generated/tiny/
"$SPNC" schema >docs/spnc.schema.json
python3 tests/catalogue.py "$SPNC" --update
docs/dumps.py docs/compiler.md
docs/dumps.py docs/design.md
docs/dumps.py docs/operators.md
docs/dumps.py docs/performance.md
docs/dumps.py docs/cluster.md
git --no-pager diff --stat -- generated tests/golden docs
