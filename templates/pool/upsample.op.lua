-- upsample: each row and column several times, or the values between them.
return {
    about = "A larger map: each element repeated, or interpolated between neighbours.",
    equation = "nearest: y[c,i,j] = x[c, i // h, j // w]; bilinear: x[c] at row (i + 1/2) / h - 1/2, column likewise, kept inside",
    shapes = "x [C, H, W] -> [C, h H, w W]; nearest also [C, T] -> [C, n T]",
    version = 1,

    attributes = {
        { name = "factor", type = "pair", default = 2, min = 1, max = 64, help = "how many times as large: n or [rows, columns]" },
        { name = "mode", type = "word", default = "nearest", choices = { "nearest", "bilinear" }, help = "bilinear: PyTorch's with align_corners false" },
    },
    main = "factor",
    flat = true,

    shape = function(op)
        local x, factor = op.x.dims, op.attrs.factor
        if #x == 2 and op.attrs.mode == "bilinear" then refuse("bilinear needs an input of [channels, rows, columns], not " .. op.x.shape .. "; nearest takes it") end
        if #x == 2 and factor[1] ~= factor[2] then refuse("its input " .. op.x.shape .. " has no rows and columns: 'factor' must be one number") end
        if #x == 2 then return { x[1], x[2] * factor[2] } end
        if #x ~= 3 then refuse("upsample needs an input of [channels, rows, columns] or [channels, positions], not " .. op.x.shape) end
        return { x[1], x[2] * factor[1], x[3] * factor[2] }
    end,
    facts = function(op)
        local x, factor, flat = op.x.dims, op.attrs.factor, #op.x.dims == 2
        return { C = x[1], H = flat and 1 or x[2], W = x[#x], FH = flat and 1 or factor[1], FW = factor[2] }
    end,
    backward = {},

    example = [[
inputs: { x: { shape: [1, 8, 8] } }
targets: { y: { shape: [1, 8, 8] } }
nets:
  code:
    - conv: { filters: 4, kernel: 3, padding: 1, act: relu }
    - maxpool: 2
    - upsample: { factor: 2, mode: bilinear }
    - conv: { filters: 1, kernel: 3, padding: 1 }
flow:
  - v: { code: x }
loss: { mse: [v, y] }
]],
}
