-- global_avgpool: the mean of each channel; its templates are those of sum.
local function chosen(op)
    if #op.x.dims < 2 then refuse("global_avgpool needs an input of [channels, ...], not " .. op.x.shape .. ": 'mean' is over any axes") end
    local set = {}
    for place = 2, #op.x.dims do set[place] = true end
    return set
end

return {
    about = "The mean of each channel.",
    equation = "y[c] = mean of x[c]",
    shapes = "x [C, ...] -> [C]",
    version = 1,

    flat = true,

    shape = function(op) return reduced(op.x, chosen(op), false) end,
    facts = function(op) return reduction(op.x, chosen(op), true) end,
    backward = {},

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 8, kernel: 3, act: relu }
    - global_avgpool
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
