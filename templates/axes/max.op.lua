-- max: over all axes or some.
local function chosen(op) return places(op.x, has(op.attrs, "axes") and op.attrs.axes or nil) end

return {
    about = "The largest element over all axes, or over some; its gradient goes to the first of them in row-major order.",
    equation = "y = max of x over the axes",
    shapes = "x of any shape -> without the axes; with keep they have one element each",
    version = 1,

    attributes = {
        { name = "axes", type = "list", optional = true, min = -6, max = 5, help = "axes that the maximum is over, from the end if negative; all unless given" },
        { name = "keep", type = "bool", default = false, help = "the axes stay, with one element each" },
    },
    main = "axes",
    flat = true,

    shape = function(op) return reduced(op.x, chosen(op), op.attrs.keep) end,
    facts = function(op)
        local f = reduction(op.x, chosen(op))
        if f.count > 16777216 then refuse("a maximum over " .. f.count .. " elements: 16777216 can be counted in a float") end
        return f
    end,
    keeps = { { name = "winner", shape = function(op) return op.y.dims end } },      -- the number of the element that is the largest
    backward = { "winner" },
    choice = "winner",

    example = [[
inputs: { x: { shape: [4, 8] } }
targets: { y: { classes: 8 } }
flow:
  - v: { max: x, axes: 0 }
  - w: { dense: v, units: 8 }
loss: { cross_entropy: [w, y] }
]],
}
