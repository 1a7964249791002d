"""The machine of a measurement, and what other programs took of its processors meanwhile."""

import os
import platform
import time


def machine():
    """What a table says of the machine: processor, their number, system, load before the measurement."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    return {"cpu": name, "processors": os.cpu_count(), "system": platform.system() + " " + platform.release(),
            "load_before": round(os.getloadavg()[0], 2)}


def busy_seconds():
    """Processor time that all programs together used since the start, waiting and hypervisor included, or None."""
    try:
        with open("/proc/stat") as stat:
            user, nice, system, _, _, irq, soft, steal = map(int, stat.readline().split()[1:9])
        return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def used_seconds(pid):
    """Processor time that one process used, or None."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return sum(map(int, stat.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return None


class Watch:
    """What other programs took while one was measured, as a share of all processors' time."""

    def __init__(self):
        self.begin, self.busy = time.monotonic(), busy_seconds()

    def foreign(self, own):
        """The share since the Watch was made; `own` is the processor time of the one that was measured.  None if either is not known."""
        if self.busy is None or own is None:
            return None
        seconds = time.monotonic() - self.begin
        return max(0.0, (busy_seconds() - self.busy - own) / (seconds * os.cpu_count()))
