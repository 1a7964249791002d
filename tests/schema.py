"""schema.py -- `spnc schema` against models: those that the compiler accepts validate, those with a mistake that a schema can see do not.

usage: tests/schema.py SPNC        needs PyYAML and jsonschema; exit 77 without them, 1 when a model is judged wrongly
"""
import glob
import json
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
    Validator = jsonschema.Draft202012Validator
except (ImportError, AttributeError) as missing:
    print(f"test_language: schema: SKIPPED, as Python lacks what it needs ({missing}): PyYAML and jsonschema")
    sys.exit(77)


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read: `y` and `on` are text, 5e-4 is a number."""


Core.yaml_implicit_resolvers = {}
Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
Core.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
Core.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$"), list("-+.0123456789"))
Core.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^$"), [""])

# What a schema sees: keys, types, words and ranges.  Not: names, shapes, values of parameters, duplicates.
SEEN = re.compile(r"unknown key|has no attribute|cannot be '|must be (a map|a list|a number|a whole number|one value|one number|true or false|between)"
                  r"|needs '(?!init)|no initialiser is called|needs a number|takes no number|the optimiser is one of|a model needs inputs|needs its shape"
                  r"|need the number of their classes|stands under loss|stands in the flow")
# ... unless what is seen comes from a parameter, from a value's place, or from a bare word that might be a net.
UNSEEN = {"param_is_text.yaml", "param_in_quotes.yaml", "set_text_for_number.yaml", "set_hostile.yaml", "carry_gru_attributes.yaml",
          "gru_without_units.yaml", "layer_of_the_flow.yaml", "layer_is_a_loss.yaml", "pool_of_lines.yaml",
          "net_parameter_given.yaml"}

spnc = sys.argv[1]
schema = json.loads(subprocess.run([spnc, "schema"], check=True, capture_output=True, text=True).stdout)
Validator.check_schema(schema)
validator = Validator(schema)
faults = 0


def fault(text):
    global faults
    faults += 1
    print("test_language: schema:", text)


def mistakes(path):
    with open(path, encoding="utf-8") as f:
        return list(validator.iter_errors(yaml.load(f, Core)))


accepted = [p for folder in ("models", "tests/golden", "tests/oracle/nets") for p in sorted(glob.glob(folder + "/*.yaml"))]
accepted += sorted(glob.glob("tests/errors/warn_*.yaml")) + sys.argv[2:]
for path in accepted:
    for e in mistakes(path):
        fault(f"{path} is a good model, but: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")

refused = 0
for path in sorted(glob.glob("tests/errors/*.yaml")):
    name = path.rsplit("/", 1)[1]
    with open(path, encoding="utf-8", errors="replace") as f:
        expected = [line for line in f if "# expect error " in line]
    if name in UNSEEN or not any(SEEN.search(line.split("# expect error ", 1)[1]) for line in expected):
        continue
    refused += 1
    if not mistakes(path):
        fault(f"{path} has a mistake that the schema does not see: {expected[0].split('# expect error ', 1)[1].strip()}")
if refused < 40:
    fault(f"only {refused} wrong models to refuse")
print(f"test_language: schema: {len(accepted)} models accepted, {refused} refused")
sys.exit(1 if faults else 0)
