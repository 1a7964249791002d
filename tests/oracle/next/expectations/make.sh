#!/bin/sh
# Writes every expectation of this folder anew.  Needs PyTorch; run it when a model or the language changes, and read the diff.
set -eu
cd "$(dirname "$0")"
for model in ../nets/*.yaml; do
    name=$(basename "$model" .yaml)
    echo "$name"
    python3 ../../oracle.py expect "$model" -o "$name.json"
done
for name in norms resnet_bn; do        # with the statistics of the batch
    echo "$name, training"
    python3 ../../oracle.py expect "../nets/$name.yaml" --mode train -o "${name}_train.json"
done
