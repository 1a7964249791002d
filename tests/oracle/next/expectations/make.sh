#!/bin/sh
# Writes every expectation of this folder anew.  Needs PyTorch; run it when a model or the language changes, and read the diff.
set -eu
cd "$(dirname "$0")"
for model in ../nets/*.yaml; do
    name=$(basename "$model" .yaml)
    echo "$name"
    python3 ../../oracle.py expect "$model" -o "$name.json"
done
