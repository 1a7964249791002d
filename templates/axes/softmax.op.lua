-- softmax: along one axis.
return {
    about = "Positive numbers that add up to 1 along an axis, from numbers of any kind.",
    equation = "y[k] = exp(x[k] - max x) / sum over j of exp(x[j] - max x), along the axis",
    shapes = "x of any shape but a single number -> the same shape",
    version = 1,

    attributes = { { name = "axis", type = "int", default = -1, min = -6, max = 5, help = "the axis, from the end if negative" } },
    main = "axis",
    flat = true,

    shape = function(op) return op.x.dims end,
    facts = function(op) return along(op.x.dims, axis(op.attrs.axis, #op.x.dims)) end,
    backward = { "y" },

    example = [[
inputs: { x: { shape: [8] } }
targets: { y: { classes: 3 } }
flow:
  - d: { dense: x, units: 8 }
  - weights: { softmax: d }
  - m: { multiply: [x, weights] }
  - v: { dense: m, units: 3 }
loss: { cross_entropy: [v, y] }
]],
}
