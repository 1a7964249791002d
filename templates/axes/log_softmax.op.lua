-- log_softmax: along one axis.
return {
    about = "The logarithm of softmax along an axis, right where softmax itself is too small for a number.",
    equation = "y[k] = x[k] - max x - log(sum over j of exp(x[j] - max x)), along the axis",
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
targets: { y: { shape: [4] } }
flow:
  - d: { dense: x, units: 4 }
  - v: { log_softmax: d }
loss: { mse: [v, y] }
]],
}
