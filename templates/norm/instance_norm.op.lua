-- instance_norm: mean and variance over each channel of an example; norm_plain and norm_fast are its templates.

local function facts(op)
    local C = op.x.dims[1]
    local f = normalised({ { C, op.x.size // C, 1, false }, { op.x.size // C, 1, 0, true } })
    f.centred = true
    return f
end

return {
    about = "Mean 0 and variance 1 over each channel of an example, then a trained weight and bias for each channel.",
    equation = "y[c] = (x[c] - mean) / sqrt(variance + epsilon) * weight[c] + bias[c], both over channel c",
    shapes = "x [C, ...] -> the same shape; weight, bias [C]",
    version = 2,

    attributes = {
        { name = "epsilon", type = "real", default = 1e-5, min = 1e-12, max = 1, help = "added to the variance under the root" },
        { name = "affine", type = "bool", default = true, help = "a trained weight and bias" },
        { name = "act", type = "act", help = "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    },
    flat = true,

    shape = function(op)
        local x = op.x.dims
        if #x < 2 or op.x.size == x[1] then refuse("instance_norm needs an input of [channels, ...] with two positions or more, not " .. op.x.shape) end
        return x
    end,
    facts = facts,
    parameters = {
        { name = "weight", init = "ones", present = "affine", shape = function(op) return { op.x.dims[1] } end },
        { name = "bias", init = "zeros", present = "affine", shape = function(op) return { op.x.dims[1] } end },
    },
    -- kept, not computed again: one or two numbers for each statistic, for which backward would have to read x once or twice more
    keeps = {
        { name = "mean", shape = function(op) return { facts(op).groups } end },
        { name = "inverse", shape = function(op) return { facts(op).groups } end },
    },
    backward = { "x", "mean", "inverse", "weight" },
    weights = { "x", "mean", "inverse" },

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 8, kernel: 3, bias: false }
    - instance_norm
    - relu
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
