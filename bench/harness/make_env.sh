#!/bin/sh
# make_env.sh [DIR] [--jax] [--onnx] -- a Python environment for the peers, in build/bench-env unless DIR is given.
# The versions are those that the published table was measured with; others go by PACKAGE=version in the environment, e.g. TORCH=2.14.0.
set -eu
cd "$(dirname "$0")/../.."
env=build/bench-env jax= onnx=
for word; do
    case $word in
    --jax) jax=1 ;;
    --onnx) onnx=1 ;;
    --help) echo "usage: bench/harness/make_env.sh [DIR] [--jax] [--onnx]"; exit 0 ;;
    -*) echo "make_env.sh: unknown option $word; usage: bench/harness/make_env.sh [DIR] [--jax] [--onnx]" >&2; exit 2 ;;
    *) env=$word ;;
    esac
done
: "${PYTHON:=python3}" "${TORCH:=2.15.0}" "${NUMPY:=2.4.6}" "${JAX:=0.10.2}" "${ONNX:=1.23.2}" "${ONNXRUNTIME:=1.32.0}" "${EMX:=1.4.0}"

# What inference.py compares with; a peer that cannot be installed is one that it skips.
onnx_peers() {
    "$env/bin/pip" install --quiet "onnx==$ONNX" "onnxruntime==$ONNXRUNTIME"
    "$env/bin/pip" install --quiet "emx-onnx-cgen==$EMX" || echo "make_env.sh: emx-onnx-cgen==$EMX cannot be installed; inference.py goes on without it" >&2
}

wanted="torch $TORCH numpy $NUMPY${jax:+ jax $JAX}"
if [ "$(cat "$env/wanted" 2>/dev/null)" = "$wanted" ] || [ "$(cat "$env/wanted" 2>/dev/null)" = "$wanted jax $JAX" ]; then
    echo "$env is ready: $wanted"
    [ -z "$onnx" ] || onnx_peers
    exit 0
fi
"$PYTHON" -m venv "$env"
"$env/bin/pip" install --quiet "numpy==$NUMPY" setuptools
"$env/bin/pip" install --quiet "torch==$TORCH"
if [ "$jax" ]; then
    "$env/bin/pip" install --quiet "jax==$JAX"
fi
"$env/bin/python" -c 'import torch, numpy; print("torch", torch.__version__, "numpy", numpy.__version__)'
echo "$wanted" >"$env/wanted"
[ -z "$onnx" ] || onnx_peers
