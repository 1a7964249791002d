-- flip: one axis in reverse.
return {
    about = "The elements along an axis in reverse order.",
    equation = "y[k] = x[n - 1 - k] along the axis",
    shapes = "x of any shape but a single number -> the same shape",
    version = 1,

    attributes = { { name = "axis", type = "int", default = 0, min = -6, max = 5, help = "the axis, from the end if negative" } },
    main = "axis",
    flat = true,
    whole = true,

    shape = function(op) return op.x.dims end,
    facts = function(op) return along(op.x.dims, axis(op.attrs.axis, #op.x.dims)) end,
    backward = {},

    example = [[
inputs: { x: { shape: [1, 4, 8] } }
targets: { y: { classes: 3 } }
flow:
  - f: { flip: x, axis: -1 }
  - v: { dense: f, units: 3 }
loss: { cross_entropy: [v, y] }
]],
}
