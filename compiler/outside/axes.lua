-- axes.lua -- functions that every description has: axes as a model writes them, and loops over them.
--
-- A model counts axes from 0, or from the end if negative.  Here a place is an index of x.dims, from 1.  The elements of an array lie in row-major order; a
-- stride is the number of elements from one to the next along an axis.

-- The place of axis `k` of a value with so many axes.
local function axis(k, count)
    if count == 0 then refuse("axis " .. k .. " does not exist: its input is a single number") end
    if count == 1 and (k < -1 or k > 0) then refuse("axis " .. k .. " does not exist: there is only 0, or -1 from the end") end
    if k < -count or k >= count then
        refuse(string.format("axis %d does not exist: there are 0 to %d, or -%d to -1 from the end", k, count - 1, count))
    end
    return k < 0 and k + count + 1 or k + 1
end

-- The places of the axes in `list` (nil: of all of them): { [place] = true }.
local function places(x, list)
    local set = {}
    for place = 1, list and 0 or #x.dims do set[place] = true end
    for _, k in ipairs(list or {}) do
        local place = axis(k, #x.dims)
        if set[place] then refuse(string.format("axis %d stands twice among its axes", k)) end
        set[place] = true
    end
    return set
end

-- The sizes of x at the places of the set, or at all others (`there` false).
local function sizes(x, set, there)
    local dims = {}
    for place, n in ipairs(x.dims) do
        if (set[place] or false) == there then dims[#dims + 1] = n end
    end
    return dims
end

-- The stride of each axis of an array of these sizes, and the number of its elements.
local function strides(dims)
    local list, n = {}, 1
    for place = #dims, 1, -1 do
        list[place] = n
        n = n * dims[place]
    end
    return list, n
end

-- Loops, the outermost first: rows { size, stride, ... } with the strides that one step has in up to four arrays.  Returns columns: the sizes, then each
-- array's strides.  Loops over one element are left out, and a loop whose step is a whole round of the next one is joined with it.
local function loops(rows)
    local kept = {}
    for _, row in ipairs(rows) do
        local last = kept[#kept]
        local joins = last ~= nil
        for k = 2, #row do joins = joins and last[k] == row[k] * row[1] end
        if row[1] > 1 and joins then
            last[1] = last[1] * row[1]
            for k = 2, #row do last[k] = row[k] end
        elseif row[1] > 1 then
            local copy = {}
            for k, v in ipairs(row) do copy[k] = v end
            kept[#kept + 1] = copy
        end
    end
    local columns = { {}, {}, {}, {}, {} }
    for i, row in ipairs(kept) do
        for k, v in ipairs(row) do columns[k][i] = v end
    end
    return columns[1], columns[2], columns[3], columns[4], columns[5]
end

-- For what makes one number of all elements of x along the axes of a set.  Facts: `kept`, `kept_x`, sizes and strides in x of the loops over the results, in
-- their order; `gone`, `gone_x`, those of the loops over one result's elements, in row-major order; `count`, how many these are; `mean` as given.
local function reduction(x, set, mean)
    local kept, gone, step, count = {}, {}, strides(x.dims), 1
    for place, n in ipairs(x.dims) do
        local rows = set[place] and gone or kept
        rows[#rows + 1] = { n, step[place] }
        if set[place] then count = count * n end
    end
    local facts = { count = count, mean = mean or false }
    facts.kept, facts.kept_x = loops(kept)
    facts.gone, facts.gone_x = loops(gone)
    return facts
end

-- The shape of a reduction's result; `keep`: its axes stay, with one element each.
local function reduced(x, set, keep)
    if not keep then return sizes(x, set, false) end
    local dims = {}
    for place, n in ipairs(x.dims) do dims[place] = set[place] and 1 or n end
    return dims
end

-- The axis at a place between those before and behind it: facts `outer`, `size`, `inner`, so that element k is at (o * size + k) * inner + i.
local function along(dims, place)
    local facts = { outer = 1, size = dims[place], inner = 1 }
    for at, n in ipairs(dims) do
        if at < place then facts.outer = facts.outer * n end
        if at > place then facts.inner = facts.inner * n end
    end
    return facts
end

-- For a norm: rows { size, stride in x, stride in the weight, gone } of x's axes, gone where the statistics are taken over the axis.  Facts: of the loops over
-- the statistics `kept`, over one's elements `gone`, with strides `_x` and `_w`; of those over the weight's elements `weight`, over what each of these multiplies
-- `rest`, with strides `_x` and, in the statistics, `_s`; `count` elements in each of `groups` statistics.
local function normalised(rows)
    local kept, gone, weight, rest, facts = {}, {}, {}, {}, { groups = 1, count = 1 }
    for k = #rows, 1, -1 do
        local row = rows[k]
        row.step = row[4] and 0 or facts.groups
        facts.groups = facts.groups * (row[4] and 1 or row[1])
        facts.count = facts.count * (row[4] and row[1] or 1)
    end
    for _, row in ipairs(rows) do
        local by_statistic, by_weight = row[4] and gone or kept, row[3] > 0 and weight or rest
        by_statistic[#by_statistic + 1] = { row[1], row[2], row[3] }
        by_weight[#by_weight + 1] = { row[1], row[2], row.step }
    end
    facts.kept, facts.kept_x, facts.kept_w = loops(kept)
    facts.gone, facts.gone_x, facts.gone_w = loops(gone)
    facts.weight, facts.weight_x, facts.weight_s = loops(weight)
    facts.rest, facts.rest_x, facts.rest_s = loops(rest)
    return facts
end

-- The facts of a norm over the axes of a set, with a weight of their shape.
local function normalised_axes(x, set)
    local step, weight_step, rows, k = strides(x.dims), strides(sizes(x, set, true)), {}, 0
    for place, n in ipairs(x.dims) do
        k = k + (set[place] and 1 or 0)
        rows[place] = { n, step[place], set[place] and weight_step[k] or 0, set[place] }
    end
    return normalised(rows)
end

return { axis = axis, places = places, sizes = sizes, strides = strides, loops = loops, reduction = reduction, reduced = reduced, along = along, normalised = normalised,
         normalised_axes = normalised_axes }
