-- transpose: the axes in another order.

-- The place in x of each axis of y.
local function order(op)
    local list, seen = {}, {}
    for _, k in ipairs(op.attrs.axes) do
        local place = axis(k, #op.x.dims)
        if seen[place] then refuse(string.format("axis %d stands twice: 'axes' names each axis of its input once", k)) end
        seen[place] = true
        list[#list + 1] = place
    end
    if #list ~= #op.x.dims then
        refuse(string.format("'axes' must name each axis of its input once: %d of %d are there", #list, #op.x.dims))
    end
    return list
end

return {
    about = "The same elements with the axes in another order.",
    equation = "axis k of y is axis axes[k] of x",
    shapes = "x of any shape -> its sizes in the order of axes",
    version = 1,

    attributes = { { name = "axes", type = "list", min = -6, max = 5, help = "all axes of x, in the order that y has them; from the end if negative" } },
    main = "axes",
    flat = true,
    whole = true,

    shape = function(op)
        local dims = {}
        for k, place in ipairs(order(op)) do dims[k] = op.x.dims[place] end
        return dims
    end,
    facts = function(op)
        local rows, step = {}, strides(op.x.dims)
        for k, place in ipairs(order(op)) do rows[k] = { op.x.dims[place], step[place] } end
        local f = {}
        f.sizes, f.step = loops(rows)
        return f
    end,
    backward = {},

    example = [[
inputs: { x: { shape: [4, 8] } }
targets: { y: { classes: 3 } }
flow:
  - t: { transpose: x, axes: [1, 0] }
  - first: { slice: t, index: 0 }
  - v: { dense: first, units: 3 }
loss: { cross_entropy: [v, y] }
]],
}
