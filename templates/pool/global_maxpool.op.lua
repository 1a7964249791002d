-- global_maxpool: the largest element of each channel; its templates are those of max.
local function chosen(op)
    if #op.x.dims < 2 then refuse("global_maxpool needs an input of [channels, ...], not " .. op.x.shape .. ": 'max' is over any axes") end
    local set = {}
    for place = 2, #op.x.dims do set[place] = true end
    return set
end

return {
    about = "The largest element of each channel; its gradient goes to the first of them in row-major order.",
    equation = "y[c] = max of x[c]",
    shapes = "x [C, ...] -> [C]",
    version = 1,

    flat = true,

    shape = function(op) return reduced(op.x, chosen(op), false) end,
    facts = function(op) return reduction(op.x, chosen(op)) end,
    keeps = { { name = "winner", shape = function(op) return op.y.dims end } },      -- the number of the element that is the largest
    backward = { "winner" },
    choice = "winner",

    example = [[
inputs: { x: { shape: [1, 12, 12] } }
targets: { y: { classes: 3 } }
nets:
  classify:
    - conv: { filters: 8, kernel: 3, act: relu }
    - global_maxpool
    - dense: 3
flow:
  - v: { classify: x }
loss: { cross_entropy: [v, y] }
]],
}
