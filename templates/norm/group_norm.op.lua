-- group_norm: mean and variance over each group of channels; norm_plain and norm_fast are its templates.

local function facts(op)
    local C, groups = op.x.dims[1], op.attrs.groups
    local rest = op.x.size // C
    local f = normalised({ { groups, C // groups * rest, C // groups, false }, { C // groups, rest, 1, true }, { rest, 1, 0, true } })
    f.centred = true
    return f
end

return {
    about = "Mean 0 and variance 1 over each group of channels, then a trained weight and bias for each channel.",
    equation = "y[c] = (x[c] - mean) / sqrt(variance + epsilon) * weight[c] + bias[c], both over the C / groups channels of its group",
    shapes = "x [C, ...] -> the same shape; weight, bias [C]",
    version = 2,

    attributes = {
        { name = "groups", type = "int", min = 1, max = 65536, help = "groups of channels, side by side" },
        { name = "epsilon", type = "real", default = 1e-5, min = 1e-12, max = 1, help = "added to the variance under the root" },
        { name = "affine", type = "bool", default = true, help = "a trained weight and bias" },
        { name = "act", type = "act", help = "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    },
    main = "groups",
    flat = true,

    shape = function(op)
        local x, groups = op.x.dims, op.attrs.groups
        if #x == 0 then refuse("group_norm needs an input of [channels, ...], not a single number") end
        if x[1] % groups ~= 0 then refuse(string.format("%d groups do not divide the %d channels of its input %s", groups, x[1], op.x.shape)) end
        if x[1] == groups and op.x.size == x[1] then refuse("a group of one element has no variance: give fewer groups than channels, or an input with positions") end
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
    - group_norm: 4
    - relu
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
