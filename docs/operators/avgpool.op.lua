-- avgpool: the mean of each window; windows that stick out are dropped.
local function stride(op) return has(op.attrs, "stride") and op.attrs.stride or op.attrs.size end

return {
    about = "The mean of each window; windows that stick out are dropped.",
    equation = "y[c,i,j] = mean over u,v of x[c, i*s+u, j*s+v]",
    shapes = "x [C, H, W] -> [C, (H - size) // stride + 1, (W - size) // stride + 1]",

    attributes = {
        { name = "size", type = "pair", default = 2, min = 1, max = 255, help = "size of the window: n or [rows, columns]" },
        { name = "stride", type = "pair", optional = true, min = 1, max = 1024, help = "step of the window; its size unless given" },
    },
    main = "size",

    shape = function(op)
        local x, size, step = op.x.dims, op.attrs.size, stride(op)
        if #x ~= 3 then refuse("avgpool needs an input of [channels, rows, columns], not " .. op.x.shape) end
        if size[1] > x[2] or size[2] > x[3] then
            refuse(string.format("a window of %dx%d does not fit its input of %dx%d", size[1], size[2], x[2], x[3]))
        end
        return { x[1], (x[2] - size[1]) // step[1] + 1, (x[3] - size[2]) // step[2] + 1 }
    end,
    backward = {},                 -- avgpool_backward takes dx and dy alone

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 4, act: relu }
    - avgpool: 2
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
