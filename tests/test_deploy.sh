#!/usr/bin/env bash
# test_deploy.sh -- the commands of docs/deploy.md, in its order, each with the exit code 0: from a run to C, Python, ARM, a microcontroller, ONNX.
# SPNC: the spnc to test (default build/spnc).  PIP: a Python with pip and numpy (default: python3, if it has them).
#
# The page's models/rnn_spn.yaml is a small net here, with the name, the input and the output of the real one.  A block of commands that begins with, or needs, a
# tool that is not there is skipped, with its name.
. "$(dirname "$0")/begin.sh"
cd "$work" || exit 74
mkdir -p models data bin
cat >models/rnn_spn.yaml <<'END'
model: rnn_spn
params: { d: 5 }
batch: 4
inputs: { image: { shape: [1, 100, 100], dtype: u8 } }
targets: { digits: { length: 3, classes: 10 } }
flow:
  - c: { maxpool: image, size: 20 }
  - s: { dense: c, units: 30 }
  - digit: { reshape: s, shape: [3, 10] }
loss: { cross_entropy: [digit, digits] }
train: { epochs: 1 }
END
for split in train valid test; do
    bytes 40000 1 256 | npy '|u1' '4, 1, 100, 100' >data/${split}_image.npy
    bytes 12 2 10 | npy '|u1' '4, 3' >data/${split}_digits.npy
done
{ npy '|u1' '1, 1, 100, 100' </dev/null; tail -c 10000 data/test_image.npy; } >image.npy
ln -s "$SPNC" bin/spnc
python=${PIP:-python3}
# The interpreter of the page: what pip installs goes to a folder of this test, and nothing comes from the network.
cat >bin/python3 <<END
#!/bin/sh
[ "\$1 \$2 \$3" != "-m pip install" ] || { shift 3; set -- -m pip install --no-index --no-deps --no-cache-dir --disable-pip-version-check --quiet --target "$work/site" "\$@"; }
PYTHONPATH=$work/site exec "$(command -v "$python")" "\$@"
END
chmod +x bin/python3
PATH=$work/bin:$PATH
"$(command -v python3)" -c 'import pip, numpy' 2>/dev/null && has_pip=1 || has_pip=

# blocks of the page: N.sh in order; the first C block, a program, and the script are written to their files
awk -v folder="$work" '/^```/ { if (to) { close(to); to = "" } else if ($0 == "```sh") to = folder "/" ++n ".sh"; else if ($0 == "```c") to = folder (c++ ? "/part.c" : "/program.c"); else if ($0 == "```python") to = folder "/script.py"; next }
    to { print >to }' "$root/docs/deploy.md"
[ -s program.c ] && [ -s script.py ] && [ -e 9.sh ] || fault "the page has too few blocks"
declare -A done_blocks
n=0
while [ -e $((++n)).sh ]; do
    missing=
    for tool in aarch64-linux-gnu-gcc qemu-aarch64 arm-none-eabi-gcc pkg-config; do
        grep -qw -- "$tool" $n.sh && ! command -v $tool >/dev/null && missing=$tool
    done
    if grep -qE '^python3 ' $n.sh && [ -z "$has_pip" ]; then missing="pip and numpy"; fi
    if [ "$missing" ]; then
        echo "skipped: no $missing: $(head -1 $n.sh)"
        [[ $missing != qemu* ]] || sed -i '/^qemu/d' $n.sh
        [[ $missing = qemu* ]] || continue
    fi
    bash -e -u $n.sh >said 2>&1 || fault "$(grep -n . $n.sh | head -3): $(tail -3 said)"
    done_blocks[$(head -1 $n.sh)]=$(cat said)
done
[ "$(./program)" = "no error: $(./program | sed 's/.*: //')" ] || fault "the program says $(./program)"
[ -s net.onnx ] && python3 "$root/tests/onnx_read.py" net.onnx >said || fault "net.onnx"
[ -s stage/usr/lib/pkgconfig/rnn_spn.pc ] || fault "nothing is installed"
if [ "$has_pip" ]; then [[ ${done_blocks[python3 script.py]} = "(1, 3, 10) [["* ]] || fault "script.py says ${done_blocks[python3 script.py]}"; fi
exit $failed
