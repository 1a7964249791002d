-- avgpool: the mean of each window, as PyTorch's avg_pool1d and avg_pool2d.

-- Sizes of the window, its step and the padding along axis k of x (2: rows, 3: columns; the one axis of [C, T] has the numbers of both).
local function window(op, k)
    local size = op.attrs.size[k - 1]
    return size, has(op.attrs, "stride") and op.attrs.stride[k - 1] or size, op.attrs.padding[k - 1]
end

local function outputs(op, k, length)
    local size, step, padding = window(op, k)
    if 2 * padding > size then
        refuse(string.format("a padding of %d is more than half of the window of %d", padding, size))
    end
    if size > length + 2 * padding then
        refuse(string.format("a window of %d does not fit its input of %d with a padding of %d", size, length, padding))
    end
    local n = (length + 2 * padding - size) // step + 1
    local rest = (length + 2 * padding - size) % step
    if op.attrs.ceil and rest > 0 and n * step < length + padding then n = n + 1 end      -- a window begins inside the input or before it
    return n
end

return {
    about = "The mean of each window.",
    equation = "y[c,i,j] = mean over u,v of x[c, i*stride - padding + u, j*stride - padding + v]",
    shapes = "x [C, H, W] or [C, T] -> (H + 2 padding - size) // stride + 1 rows, columns likewise",
    version = 1,

    attributes = {
        { name = "size", type = "pair", default = 2, min = 1, max = 255, help = "size of the window: n or [rows, columns]" },
        { name = "stride", type = "pair", optional = true, min = 1, max = 1024, help = "step of the window; its size unless given" },
        { name = "padding", type = "pair", default = 0, min = 0, max = 127, help = "zeros around the input, at most half a window" },
        { name = "ceil", type = "bool", default = false, help = "a last window that sticks out is kept" },
        { name = "count_padding", type = "bool", default = false, help = "padding counts in the mean" },
    },
    main = "size",
    flat = true,

    shape = function(op)
        local x = op.x.dims
        for _, name in ipairs({ "size", "stride", "padding" }) do
            local pair = has(op.attrs, name) and op.attrs[name] or { 1, 1 }
            if #x == 2 and pair[1] ~= pair[2] then refuse("its input " .. op.x.shape .. " has no rows and columns: '" .. name .. "' must be one number") end
        end
        if #x == 2 then return { x[1], outputs(op, 3, x[2]) } end
        if #x ~= 3 then refuse("avgpool needs an input of [channels, rows, columns] or [channels, positions], not " .. op.x.shape) end
        return { x[1], outputs(op, 2, x[2]), outputs(op, 3, x[3]) }
    end,
    facts = function(op)           -- sizes of x, y, the window, its step and padding, where x ends; rows are 1 where x is [C, T]
        local x, y, flat = op.x.dims, op.y.dims, #op.x.dims == 2
        local f = { C = x[1], H = 1, W = x[#x], Ho = 1, Wo = y[#y], KH = 1, SH = 1, PH = 0 }
        f.KW, f.SW, f.PW = window(op, 3)
        if not flat then
            f.H, f.Ho = x[2], y[2]
            f.KH, f.SH, f.PH = window(op, 2)
        end
        f.bottom, f.right = f.H + f.PH, f.W + f.PW
        return f
    end,
    backward = {},                 -- avgpool_backward takes dx and dy alone

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 4, act: relu }
    - avgpool: { size: 3, stride: 2, padding: 1 }
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
