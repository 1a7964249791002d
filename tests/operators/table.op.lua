-- table: a product with a parameter of two axes, taken as arrays; the result keeps no axis if one unit is asked for.
return {
    about = "A matrix product.",
    equation = "y[i] = sum over k of w[i][k] x[k]",
    shapes = "x [n] -> [units], or one number;  w [units][n]",
    attributes = { { name = "units", type = "int", min = 1, max = 64, help = "number of outputs" } },
    main = "units",
    shape = function(op)
        if #op.x.dims ~= 1 then refuse("table needs one axis, not " .. op.x.shape) end
        return op.attrs.units == 1 and {} or { op.attrs.units }
    end,
    parameters = { { name = "w", init = "glorot_uniform", shape = function(op) return { op.attrs.units, op.x.size } end } },
    backward = { "w" },
    weights = { "x" },
    multiply_adds = function(op) return op.attrs.units * op.x.size end,
}
