-- leaky: as relu, but what is negative passes too, made smaller.
return {
    about = "Keeps what is positive, and a share of what is negative.",
    equation = "y = x where x > 0, else slope x",
    shapes = "x of any shape -> the same shape",

    attributes = {
        { name = "slope", type = "real", default = 0.01, min = 0, max = 1, help = "what a negative x is multiplied by" },
    },
    main = "slope",                -- so that a net may say - leaky: 0.1
    flat = true,                   -- element by element: the functions take real *y, real *x

    shape = function(op) return op.x.dims end,
    backward = { "y" },            -- leaky_backward takes dx, dy and y
    kink = "y",                    -- where y changes its sign the slope jumps: the gradient check steps around that

    example = [[
inputs: { x: { shape: [8] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - dense: 16
    - leaky: 0.1
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
