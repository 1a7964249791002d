-- channel_scale: each channel times a number of its own, which is trained.
return {
    about = "Multiplies each channel by a trained number.",
    equation = "y[c,i] = scale[c] x[c,i]",
    shapes = "x [C, ...] -> the same shape;  scale [C]",

    attributes = {
        { name = "init", type = "init", default = "ones", help = "initialiser of the scale" },
    },

    shape = function(op)
        if #op.x.dims < 1 then refuse("channel_scale needs an input with channels") end
        return op.x.dims
    end,
    flat = true,
    parameters = {
        { name = "scale", init = "init", shape = function(op) return { op.x.dims[1] } end },
    },
    backward = { "scale" },        -- channel_scale_backward takes dx, dy and scale
    weights = { "x" },             -- channel_scale_weights takes d_scale, dy and x
    multiply_adds = function(op) return op.y.size end,

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 4, act: relu }
    - channel_scale
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
