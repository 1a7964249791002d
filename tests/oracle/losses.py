"""The losses, each a row of LOSSES: rule(operands..., attributes, axis) -> 0-d tensor, before the entry's `weight`.

`axis` is where the classes of a cross entropy's logits stand in [N][...].
"""
import torch
import torch.nn.functional as F


def same(left, right):
    if left.shape != right.shape:
        raise ValueError(f"{tuple(left.shape)} with {tuple(right.shape)}")


def cross_entropy(logits, target, a, axis):
    """F.cross_entropy's, and epsilon of the first edition: the mean of -log(p + epsilon)."""
    logp = torch.log_softmax(logits, axis).movedim(axis, -1)
    classes = logp.shape[-1]
    factors = torch.tensor([float(w) for w in a["class_weights"]], dtype=torch.float64) if "class_weights" in a else None
    smoothing = a.get("smoothing", 0)
    if target.is_floating_point():
        p = target.movedim(axis, -1)
        same(logp, p)
        each = (p * (1 - smoothing) + smoothing / classes) * logp * (1 if factors is None else factors)
        return -each.sum() / (logp.numel() / classes)
    same(logp[..., 0], target)
    if a.get("epsilon"):
        return -torch.log(logp.gather(-1, target[..., None]).exp() + a["epsilon"]).mean()
    present = target != a["ignore"] if "ignore" in a else torch.ones_like(target, dtype=torch.bool)
    label = torch.where(present, target, torch.zeros_like(target))
    weights = torch.ones(classes, dtype=torch.float64) if factors is None else factors
    share = weights[label] * present
    divisor = share.sum()
    if float(divisor) == 0:
        return (logp * 0).sum()
    picked = -(share * logp.gather(-1, label[..., None])[..., 0]).sum()
    smooth = -((weights * logp).sum(-1) * present).sum()
    return ((1 - smoothing) * picked + smoothing / classes * smooth) / divisor


def binary_cross_entropy(logits, target, a, axis):
    """On logits; the mean of max(x, 0) - x t + log(1 + exp(-|x|))."""
    same(logits, target)
    return F.binary_cross_entropy_with_logits(logits, target.double())


def mse(left, right, a, axis):
    same(left, right)
    return ((left - right) ** 2).mean()


def mae(left, right, a, axis):
    same(left, right)
    return (left - right).abs().mean()


def huber(left, right, a, axis):
    """d^2 / 2 up to delta, delta (|d| - delta / 2) beyond."""
    same(left, right)
    d, delta = left - right, a.get("delta", 1)
    return torch.where(d.abs() <= delta, d * d / 2, delta * (d.abs() - delta / 2)).mean()


def mean(value, a, axis):
    return value.mean()


LOSSES = {"cross_entropy": cross_entropy, "binary_cross_entropy": binary_cross_entropy, "mse": mse, "mae": mae, "huber": huber,
          "mean": mean}
PENALTIES = {"weight_l2": lambda w: (w * w).sum(), "weight_l1": lambda w: w.abs().sum()}
