#!/usr/bin/env python3
"""The PyTorch side of ranks.py: a training step by DistributedDataParallel over gloo, processes of one thread, each with its share of the batch.

  ranks_torch.py ROW BATCH RANKS SECONDS        prints one JSON object: train_ms, the median of whole steps by the clock of the first process
"""

import json
import os
import socket
import sys
import time

import torch
import torch.distributed as dist
from torch import nn

from nets import parse_row
from nets_torch import Peer
from stats import median


class Loss(nn.Module):
    """DDP sums the gradients of what its forward gives."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image, digits):
        return self.net.loss(image, digits)


def work(rank, ranks, port, row, batch, seconds):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    share = batch * (rank + 1) // ranks - batch * rank // ranks
    peer = Peer(*parse_row(row), "channels_last", share, 1, 0.0)
    peer.loss = nn.parallel.DistributedDataParallel(Loss(peer.net), gradient_as_bucket_view=True)
    peer.backward = lambda image, digits: backward(peer, image, digits)
    for _ in range(2):
        peer.train()
    times, more, end = [], torch.ones(1), time.perf_counter() + seconds
    while more.item():
        begin = time.perf_counter()
        peer.train()
        times.append(1e3 * (time.perf_counter() - begin))
        more[0] = len(times) < 3 or time.perf_counter() < end
        dist.broadcast(more, 0)
    if rank == 0:
        print(json.dumps({"train_ms": median(times), "steps": len(times), "torch": torch.__version__}), flush=True)
    dist.destroy_process_group()


def backward(peer, image, digits):
    """As Peer.backward; gradients stay views of DDP's buckets, and are set to 0."""
    for p in peer.params:
        if p.grad is not None:
            p.grad.zero_()
    loss = peer.loss(image, digits)
    loss.backward()
    return loss


def main():
    row, batch, ranks, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    torch.multiprocessing.spawn(work, (ranks, port, row, batch, seconds), nprocs=ranks)


if __name__ == "__main__":
    main()
