-- space_to_depth: the pixels of each block become channels; PyTorch's pixel_unshuffle.
return {
    about = "Makes channels of the pixels of each block: half as many rows and columns, four times as many channels.",
    equation = "y[(c*block + u)*block + v, i, j] = x[c, i*block + u, j*block + v]",
    shapes = "x [C, H, W] -> [C block^2, H / block, W / block]",

    attributes = {
        { name = "block", type = "int", default = 2, min = 2, max = 64, help = "rows and columns of a block" },
    },
    main = "block",

    shape = function(op)
        local x, block = op.x.dims, op.attrs.block
        if #x ~= 3 then refuse("space_to_depth needs an input of [channels, rows, columns], not " .. op.x.shape) end
        if x[2] % block ~= 0 or x[3] % block ~= 0 then
            refuse(string.format("blocks of %dx%d do not divide its input of %dx%d", block, block, x[2], x[3]))
        end
        return { x[1] * block * block, x[2] // block, x[3] // block }
    end,
    backward = {},                 -- space_to_depth_backward takes dx and dy alone

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 4, act: relu }
    - space_to_depth: 2
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
