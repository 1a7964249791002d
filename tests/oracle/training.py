"""Updates in float64: optimisers, schedules, clipping, decay, averages.  Optimisers and schedules are rows of tables.

A rule of an optimiser changes w in place.  g is the gradient after clipping and decay, s the settings, states a dict that is
kept from update to update, count the number of this update, from 1.
"""
import math

import torch

from language import is_true, listed, value


def kept(states, name, like):
    return states.setdefault(name, torch.zeros_like(like))


def rmsprop(w, g, rate, s, states, count):
    r = states["r"] = s["decay"] * kept(states, "r", w) + (1 - s["decay"]) * g * g
    if is_true(s["centred"]):
        mean = states["mean"] = s["decay"] * kept(states, "mean", w) + (1 - s["decay"]) * g
        r = r - mean * mean
    move = g / (torch.sqrt(r + s["epsilon"]) if is_true(s["epsilon_inside"]) else torch.sqrt(r) + s["epsilon"])
    if s["momentum"]:
        move = states["v"] = s["momentum"] * kept(states, "v", w) + move
    w -= rate * move


def sgd(w, g, rate, s, states, count):
    v = states["v"] = s["momentum"] * kept(states, "v", w) + g
    w -= rate * (g + s["momentum"] * v if is_true(s["nesterov"]) else v)


def adam(w, g, rate, s, states, count):
    m = states["m"] = s["beta1"] * kept(states, "m", w) + (1 - s["beta1"]) * g
    v = states["v"] = s["beta2"] * kept(states, "v", w) + (1 - s["beta2"]) * g * g
    if is_true(s["amsgrad"]):
        v = states["largest"] = torch.maximum(kept(states, "largest", w), v)
    w -= rate * (m / (1 - s["beta1"] ** count)) / (torch.sqrt(v / (1 - s["beta2"] ** count)) + s["epsilon"])


def adamw(w, g, rate, s, states, count):
    w -= rate * s["weight_decay"] * w       # before the step, of the weights alone
    adam(w, g, rate, s, states, count)


def adagrad(w, g, rate, s, states, count):
    r = states["r"] = kept(states, "r", w) + g * g
    w -= rate * g / (torch.sqrt(r) + s["epsilon"])


ADAM = {"rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "amsgrad": "false"}
OPTIMISERS = {      # name: rule, settings and their defaults
    "rmsprop": (rmsprop, {"rate": 5e-4, "decay": 0.9, "epsilon": 1e-6, "epsilon_inside": "true", "momentum": 0, "centred": "false"}),
    "sgd": (sgd, {"rate": 0.01, "momentum": 0, "nesterov": "false"}),
    "adam": (adam, ADAM),
    "adamw": (adamw, {**ADAM, "weight_decay": 0.01}),
    "adagrad": (adagrad, {"rate": 0.01, "epsilon": 1e-10}),
}


# Schedules: the rate of an epoch, of epochs from 0; warm_up is apart.

def divide(rate, epoch, epochs, s):
    return rate / s["divide"] ** ((epoch - s["first"]) // s["every"] + 1) if epoch >= s["first"] else rate


def step(rate, epoch, epochs, s):
    return rate / s["divide"] ** (epoch // s["every"])


def exponential(rate, epoch, epochs, s):
    return rate * s["factor"] ** epoch


def cosine(rate, epoch, epochs, s):
    """From the rate at the first epoch to the share `final` of it at the last."""
    final, way = s.get("final", 0), epoch / (epochs - 1) if epochs > 1 else 0
    return rate * (final + (1 - final) * (1 + math.cos(math.pi * way)) / 2)


SCHEDULES = {"step": step, "exponential": exponential, "cosine": cosine}     # by name: { NAME: { settings } }
BARE_SCHEDULE = divide                      # whose settings stand under `schedule:` themselves


class Optimiser:
    """Clipping, weight decay and update.  With a net: its `nets:` (rate_times, weight_decay, freeze) and `no_decay:`."""

    def __init__(self, model, net=None):
        train = {k: v for k, v in model["train"].items() if k != "nets"}
        given = value(train, model["params"])
        optimiser = given.get("optimiser", "rmsprop")
        kind, settings = next(iter(optimiser.items())) if isinstance(optimiser, dict) else (optimiser, {})
        self.rule, defaults = OPTIMISERS[kind]
        self.settings = {**defaults, **(settings or {})}
        self.kind, self.clip, self.decay = kind, given.get("clip", {}), given.get("weight_decay", 0)
        if kind == "adamw" and self.decay:
            raise ValueError("adamw with train.weight_decay")
        self.schedule, self.patience, self.epochs = given.get("schedule"), given.get("patience", 0), given.get("epochs", 100)
        self.no_decay, self.accumulate = listed(given.get("no_decay") or []), given.get("accumulate", 1)
        self.average = given.get("average", 0)
        self.net, self.count, self.states, self.averaged = net, 0, {}, None

    def rate(self, epoch, updates=1):
        """The rate of an epoch's update, of `updates` in an epoch; the warm-up takes it from the number of updates done."""
        s, rate = self.schedule, self.settings["rate"]
        if s in (None, "constant"):
            return rate
        name = next(iter(s))
        rule, settings = (SCHEDULES[name], s[name]) if name in SCHEDULES else (BARE_SCHEDULE, s)
        if any(k != "warm_up" for k in settings):
            rate = rule(rate, epoch, self.epochs, settings)
        elif name == "cosine":
            rate = cosine(rate, epoch, self.epochs, settings)
        warm = settings.get("warm_up", 0) * updates
        return rate * min(1.0, (self.count + 1) / warm) if warm else rate

    def decays(self, name):
        """Whether weight decay applies to a parameter: no_decay names bias, norms or weights."""
        kind = self.net.kinds[name] if self.net else "weights"
        is_bias = kind == "bias" or name.endswith(".bias")
        return not (kind in self.no_decay or is_bias and "bias" in self.no_decay)

    def step(self, weights, grads, epoch, updates=1):
        """Updates `weights` in place; those without a gradient stay."""
        grads, rate = dict(grads), self.rate(epoch, updates)
        self.count += 1
        if "element" in self.clip:
            grads = {k: g.clamp(-self.clip["element"], self.clip["element"]) for k, g in grads.items()}
        if "norm" in self.clip:
            c, norm = self.clip["norm"], math.sqrt(sum(float((g * g).sum()) for g in grads.values()))
            lasagne = self.clip.get("rule", "torch") == "lasagne"
            factor = min(norm, c) / (1e-7 + norm) if lasagne else min(1.0, c / (norm + 1e-6))
            grads = {k: g * factor for k, g in grads.items()}
        for k, g in grads.items():
            own = self.net.training(k) if self.net else {}
            settings = dict(self.settings)
            inside = "weight_decay" in settings
            decay = own.get("weight_decay", settings["weight_decay"] if inside else self.decay) if self.decays(k) else 0
            if inside:
                settings["weight_decay"] = decay
            else:
                g = g + decay * weights[k]
            self.rule(weights[k], g, rate * own.get("rate_times", 1), settings, self.states.setdefault(k, {}), self.count)
        self.remember(weights)

    def remember(self, weights):
        """The exponential average of weights, which starts as those after the first update (torch's AveragedModel); buffers are copied."""
        if self.average:
            old = self.averaged
            copied = self.net.buffers if self.net else ()
            self.averaged = {k: w.clone() if old is None or k in copied else old[k] + (1 - self.average) * (w - old[k])
                             for k, w in weights.items()}
