-- rms_norm: the root of the mean of squares over the last axis, or over some; norm_plain and norm_fast are its templates.

local function chosen(op) return places(op.x, op.attrs.axes) end

local function facts(op)
    local f = normalised_axes(op.x, chosen(op))
    f.centred = false
    return f
end

return {
    about = "Mean square 1 over the last axis or over some, then a trained weight.",
    equation = "y = x / sqrt(mean of x^2 + epsilon) * weight, over the axes",
    shapes = "x of any shape but a single number -> the same shape; weight of the shape of the axes",
    version = 1,

    attributes = {
        { name = "axes", type = "list", default = -1, min = -6, max = 5, help = "axes of each statistic, from the end if negative" },
        { name = "epsilon", type = "real", default = 1e-5, min = 1e-12, max = 1, help = "added to the mean of the squares under the root" },
        { name = "affine", type = "bool", default = true, help = "a trained weight" },
        { name = "act", type = "act", help = "activation of the result: relu, or { leaky_relu: { slope: 0.2 } }" },
    },
    main = "axes",
    flat = true,

    shape = function(op)
        chosen(op)
        return op.x.dims
    end,
    facts = facts,
    parameters = {
        { name = "weight", init = "ones", present = "affine", shape = function(op) return sizes(op.x, chosen(op), true) end },
    },
    -- kept, not computed again: one or two numbers for each statistic, for which backward would have to read x once or twice more
    keeps = {
        { name = "inverse", shape = function(op) return { facts(op).groups } end },
    },
    backward = { "x", "inverse", "weight" },
    weights = { "x", "inverse" },

    example = [[
inputs: { x: { shape: [8] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - dense: 16
    - rms_norm
    - relu
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
