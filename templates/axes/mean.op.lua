-- mean: over all axes or some; its templates are those of sum.
local function chosen(op) return places(op.x, has(op.attrs, "axes") and op.attrs.axes or nil) end

return {
    about = "The mean over all axes, or over some.",
    equation = "y = mean of x over the axes",
    shapes = "x of any shape -> without the axes; with keep they have one element each",
    version = 1,

    attributes = {
        { name = "axes", type = "list", optional = true, min = -6, max = 5, help = "axes that the mean is over, from the end if negative; all unless given" },
        { name = "keep", type = "bool", default = false, help = "the axes stay, with one element each" },
    },
    main = "axes",
    flat = true,

    shape = function(op) return reduced(op.x, chosen(op), op.attrs.keep) end,
    facts = function(op) return reduction(op.x, chosen(op), true) end,
    backward = {},

    example = [[
inputs: { x: { shape: [4, 8] } }
targets: { y: { classes: 8 } }
flow:
  - v: { mean: x, axes: 0 }
  - w: { dense: v, units: 8 }
loss: { cross_entropy: [w, y] }
]],
}
