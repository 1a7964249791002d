-- mix: what the examples of docs/operators leave out: several inputs, attributes of every type, something kept, two parameters.
return {
    about = "A gated sum of two to four values.",
    equation = "y = (x1 + x2 + ...) * sigmoid(a * x1 + b) * gain",
    shapes = "two to four values of one shape -> that shape;  a, b [1]",
    inputs = { 2, 4 },
    attributes = {
        { name = "gain", type = "real", min = 0, max = 10, help = "factor" },
        { name = "times", type = "int", default = 1, min = 1, max = 3, help = "factor again" },
        { name = "double_it", type = "bool", default = false, help = "factor two" },
        { name = "mode", type = "word", default = "sum", choices = { "sum", "difference" }, help = "what becomes of x2, x3, ..." },
        { name = "offsets", type = "shape", optional = true, min = 0, max = 9, help = "added to the result, one for each input" },
        { name = "a_init", type = "init", default = "ones", help = "initialiser of a" },
    },
    flat = true,
    shape = function(op)
        for i, x in ipairs(op.inputs) do
            if x.shape ~= op.x.shape then refuse(string.format("input %d is %s, the first is %s", i, x.shape, op.x.shape)) end
        end
        return op.x.dims
    end,
    parameters = {
        { name = "a", init = "a_init", shape = function() return { 1 } end },
        { name = "b", init = { normal = 0.5 }, shape = function() return { 1 } end },
    },
    keeps = {
        { name = "gate", shape = function(op) return op.y.dims end },
        { name = "total", shape = function(op) return op.y.dims end },
    },
    backward = { "gate", "total", "a" },
    weights = { "x1", "gate", "total" },
    multiply_adds = function(op) return 3 * op.y.size end,
}
