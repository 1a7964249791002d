-- stack: values side by side on a new axis.

-- A single number counts as one of shape [1].
local function dims_of(x) return #x.dims > 0 and x.dims or { 1 } end

return {
    about = "Values of one shape, stacked along a new axis.",
    equation = "y[k] = input k, along the new axis",
    shapes = "one or more of one shape (a single number counts as [1]) -> one axis more, as long as there are values",
    version = 1,

    inputs = { 1, 30 },
    attributes = { { name = "axis", type = "int", default = 0, min = -6, max = 5, help = "the new axis as the result counts it, from the end if negative" } },
    main = "axis",
    flat = true,
    whole = true,

    shape = function(op)
        local first, dims = dims_of(op.x), {}
        if #first == 6 then refuse("the result would have more than 6 axes") end
        for k, x in ipairs(op.inputs) do
            local same, other = true, dims_of(x)
            for place = 1, math.max(#first, #other) do
                same = same and #first == #other and first[place] == other[place]
            end
            if not same then refuse(string.format("its values must have one shape: the first is %s, number %d is %s", op.x.shape, k, x.shape)) end
        end
        local place = axis(op.attrs.axis, #first + 1)
        for k = 1, #first + 1 do
            dims[k] = k == place and #op.inputs or first[k < place and k or k - 1]
        end
        return dims
    end,
    facts = function(op) return along(op.y.dims, axis(op.attrs.axis, #op.y.dims)) end,
    backward = {},

    example = [[
inputs: { a: { shape: [8] }, b: { shape: [8] } }
targets: { y: { classes: 3 } }
flow:
  - s: { stack: [a, b] }
  - m: { mean: s, axes: 0 }
  - v: { dense: m, units: 3 }
loss: { cross_entropy: [v, y] }
]],
}
