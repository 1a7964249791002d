-- pad: elements added before and behind.

-- { before, after } for each axis of x.
local function added(op)
    local by, list = op.attrs.by, {}
    local single = type(by) == "number"
    if #op.x.dims == 0 then refuse("a single number has no axis to pad") end
    if not single and #by ~= #op.x.dims then
        refuse(string.format("'by' has %d items for the %d axes of its input: one n or [before, after] for each, 0 where nothing is added", #by, #op.x.dims))
    end
    for place = 1, #op.x.dims do
        local n = single and (place > 1 or #op.x.dims == 1) and by or 0
        list[place] = single and { n, n } or by[place]
    end
    return list
end

return {
    about = "Elements added before and behind along axes: zeros, the edge's, or those inside mirrored at the edge.",
    equation = "y[k] = x[k - before] along each axis; outside of x: 0, x at the edge, or x mirrored at the edge's element",
    shapes = "x of any shape but a single number -> each axis longer by before + after",
    version = 1,

    attributes = {
        { name = "by", type = "pairs", min = 0, max = 65536, help = "n for every axis but the first where there are two or more; or a list of n or [before, after] for each axis" },
        { name = "mode", type = "word", default = "zeros", choices = { "zeros", "reflect", "edge" }, help = "what is added" },
    },
    main = "by",
    flat = true,

    shape = function(op)
        local dims = {}
        for place, by in ipairs(added(op)) do
            local n = op.x.dims[place]
            if op.attrs.mode == "reflect" and math.max(by[1], by[2]) >= n then
                refuse(string.format("reflect adds at most %d elements to an axis of %d: its edge is not repeated", n - 1, n))
            end
            dims[place] = n + by[1] + by[2]
        end
        return dims
    end,
    facts = function(op)                    -- neighbouring axes that nothing is added to are one loop
        local f = { sizes = {}, x_sizes = {}, before = {}, behind = {}, mirror = {}, step = {}, y_step = {}, start = 0 }
        local step, y_step, by = strides(op.x.dims), strides(op.y.dims), added(op)
        local function plain(place) return by[place] and by[place][1] == 0 and by[place][2] == 0 end
        for place, n in ipairs(op.x.dims) do
            local k = #f.sizes + (place > 1 and plain(place) and plain(place - 1) and 0 or 1)
            f.x_sizes[k] = k > #f.sizes and n or f.x_sizes[k] * n
            f.sizes[k] = k > #f.sizes and op.y.dims[place] or f.sizes[k] * n
            f.before[k], f.step[k], f.y_step[k] = by[place][1], step[place], y_step[place]
            f.start = f.start + by[place][1] * y_step[place]
        end
        for k, n in ipairs(f.x_sizes) do f.behind[k], f.mirror[k] = f.before[k] + n, 2 * n - 2 + f.before[k] end
        return f
    end,
    backward = {},

    example = [[
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { classes: 3 } }
nets:
  read:
    - pad: { by: 1, mode: reflect }
    - conv: { filters: 4, kernel: 3, act: relu }
    - dense: 3
flow:
  - v: { read: x }
loss: { cross_entropy: [v, y] }
]],
}
