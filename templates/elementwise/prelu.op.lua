-- prelu: as relu, but what is negative passes too, times a trained number for each channel.
return {
    about = "Keeps what is positive; what is negative is multiplied by a trained number of its channel.",
    equation = "y = x where x > 0, else weight[c] x",
    shapes = "x [C, ...] -> the same shape;  weight [C], 0.25 at first",
    version = 1,

    attributes = {},
    flat = true,

    shape = function(op)
        if #op.x.dims < 1 then refuse("prelu needs an input of [channels, ...]; a single number has none") end
        return op.x.dims
    end,
    facts = function(op) return { C = op.x.dims[1], each = op.x.size // op.x.dims[1] } end,
    parameters = {
        { name = "weight", init = { constant = 0.25 }, shape = function(op) return { op.x.dims[1] } end },
    },
    backward = { "x", "weight" },
    weights = { "x" },
    kink = "x",

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: 4
    - prelu
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
